"""What an execution is at one moment, what can happen to it, and what a decision asks the world to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from casemate.flows import Label
from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskId, TaskRunId, TenantId
from casemate.masking import Mask


class State(StrEnum):
    """State of an execution or of a task run (spec/engine 5.2)."""

    CREATED = "CREATED"  #: known, nothing done yet
    QUEUED = "QUEUED"  #: waits for a place under the flow's concurrency limit
    RUNNING = "RUNNING"  #: being worked on
    PAUSED = "PAUSED"  #: waits for a person or a date
    RESTARTED = "RESTARTED"  #: will run again
    KILLING = "KILLING"  #: being stopped
    RETRYING = "RETRYING"  #: failed, waits for its next attempt
    SUCCESS = "SUCCESS"  #: ended well
    WARNING = "WARNING"  #: ended well enough
    FAILED = "FAILED"  #: ended badly
    KILLED = "KILLED"  #: stopped by a person
    CANCELLED = "CANCELLED"  #: never ran, because of a limit
    RETRIED = "RETRIED"  #: failed, and another execution took over
    SKIPPED = "SKIPPED"  #: its condition said no

    @property
    def terminated(self) -> bool:
        """Nothing more happens by itself."""
        return self in _TERMINATED

    @property
    def created(self) -> bool:
        """Waits to be taken up."""
        return self in (State.CREATED, State.RESTARTED)

    @property
    def frozen(self) -> bool:
        """In such an execution reports are taken, but nothing is started or ended; later everything is looked at."""
        return self in (State.PAUSED, State.RESTARTED, State.QUEUED)


_TERMINATED = frozenset(
    (State.SUCCESS, State.WARNING, State.FAILED, State.KILLED, State.CANCELLED, State.RETRIED, State.SKIPPED)
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of a history."""

    state: State
    date: datetime


@dataclass(frozen=True, slots=True)
class History:
    """Every state so far, oldest first, never empty."""

    moments: tuple[Moment, ...]

    @classmethod
    def begun(cls, now: datetime, state: State = State.CREATED) -> History:
        """A history of one entry."""
        return cls((Moment(state, now),))

    @property
    def current(self) -> State:
        """The latest state."""
        return self.moments[-1].state

    @property
    def start(self) -> datetime:
        """When it began."""
        return self.moments[0].date

    @property
    def end(self) -> datetime | None:
        """When it ended or paused, if it did."""
        last = self.moments[-1]
        return last.date if last.state.terminated or last.state is State.PAUSED else None

    def to(self, state: State, now: datetime) -> History:
        """The same with one more entry; setting the same state again changes nothing."""
        return self if state is self.current else History((*self.moments, Moment(state, now)))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a task run's body. `isolation` is its isolation report, as JSON."""

    history: History
    log_file: str | None = None
    isolation: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """How far a task run has come that starts one execution for each batch.

    `total` batches there are, `asked` of them were asked to be started, `over` of these have ended or were refused.
    """

    total: int
    asked: int = 0
    over: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of a task run wants another execution, for the batch of that number (from 1; 0 without batches)."""

    task_run: TaskRunId
    attempt: int
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who started an execution. `depth` counts the executions above; its end is told once, then it is `told`."""

    execution: ExecutionId
    call: Call
    depth: int = 1
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """One task at work in one execution. `outputs` is None until there are any; flowables have no `attempts`."""

    id: TaskRunId
    task_id: TaskId
    history: History
    parent: TaskRunId | None = None
    value: str | None = None
    iteration: int | None = None
    attempts: tuple[Attempt, ...] = ()
    outputs: Mapping[str, object] | None = None
    dynamic: bool = False
    values: tuple[str, ...] | None = None
    """What a ForEach goes through, rendered once when it begins."""
    due: datetime | None = None
    """When a retrying or paused task run goes on by itself, or the timeout of one that is offered is over."""
    batches: Batches | None = None

    @property
    def state(self) -> State:
        """The latest state."""
        return self.history.current

    @property
    def isolation(self) -> Mapping[str, object] | None:
        """The isolation report of the last attempt, as JSON."""
        return self.attempts[-1].isolation if self.attempts else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an execution that is being stopped will end, and with it the task run that was last at work.

    `gentle`: what is at work is waited for instead of being stopped.
    """

    state: State
    task_run: TaskRunId | None = None
    gentle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of a flow. `task_runs` keeps the order in which they were created.

    `version` counts saved changes and guards the row (compare and swap). `asked` holds the keys of the `Resolve`
    commands that wait for a reply, `answers` the replies that wait to be used; these are never stored. `replay_at` is
    set once a failed task run asked for the whole execution to be run again as a new one (spec/engine 3.2). `verdict`
    is set while it is being stopped for another end than KILLED (spec/engine 5.8). `after` names the tasks that follow
    its end and have not ended yet (spec/engine 5.9), `checked` the SLAs that were looked at since it changed.
    """

    id: ExecutionId
    tenant: TenantId
    namespace: Namespace
    flow_id: FlowId
    flow_revision: int
    history: History
    task_runs: Mapping[TaskRunId, TaskRun] = field(default_factory=dict)
    inputs: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, object] | None = None
    labels: tuple[Label, ...] = ()
    variables: Mapping[str, object] = field(default_factory=dict)
    trigger: Mapping[str, object] | None = None
    parent_id: ExecutionId | None = None
    original_id: ExecutionId | None = None
    attempt_number: int = 1
    original_created: datetime | None = None
    schedule_date: datetime | None = None
    deleted: bool = False
    asked: frozenset[str] = frozenset()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    replay_at: datetime | None = None
    caller: Caller | None = None
    verdict: Verdict | None = None
    after: tuple[TaskId, ...] = ()
    checked: frozenset[str] = frozenset()
    version: int = 0

    @property
    def state(self) -> State:
        """The latest state."""
        return self.history.current

    @property
    def over(self) -> bool:
        """Terminated, and nothing follows any more: whoever waits for its end may go on (spec/engine 5.9)."""
        return self.state.terminated and not self.after

    @property
    def run_again(self) -> bool:
        """Was it terminated, and is it now to run once more? One that was resumed never ended."""
        moments = self.history.moments
        return self.state is State.RESTARTED and (len(moments) < 2 or moments[-2].state.terminated)

    @property
    def holds_slot(self) -> bool:
        """Does it count against the concurrency limit of its flow (spec/engine 5.7)?

        From the moment it is let in until it is over, whatever happens between: a place that a paused, retrying or
        dying execution gave away would be taken twice as soon as it goes on.
        """
        if self.state in (State.CREATED, State.QUEUED) or self.over or self.run_again:
            return False
        return any(moment.state is State.RUNNING for moment in self.history.moments)

    def at(self, entry: int) -> Execution:
        """As others saw it when its history got that entry; task runs may have come further since.

        What it put out is left out where it had not ended yet.
        """
        if entry >= len(self.history.moments) - 1:
            return self
        history = History(self.history.moments[: entry + 1])
        return replace(self, history=history, outputs=self.outputs if history.current.terminated else None)

    @property
    def queued_since(self) -> datetime | None:
        """When it began to wait for a place; None while it does not."""
        return self.history.moments[-1].date if self.state is State.QUEUED else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the world replied to a `Resolve`: a value, or the text of an error.

    `opened` knows what its templates were shown, for the log entries that tell of the value. None of it is stored.
    """

    value: object = None
    error: str | None = None
    opened: Mask = field(default_factory=Mask, compare=False, repr=False)
