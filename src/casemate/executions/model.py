"""What an execution is at one moment, what can happen to it, and what a decision asks the world to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from casemate.flows import Label
from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskId, TaskRunId, TenantId


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
    """One run of a task run's body."""

    history: History
    log_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """One task at work in one execution. `outputs` is None until there are any; `attempts` stays empty for flowables."""

    id: TaskRunId
    task_id: TaskId
    history: History
    parent: TaskRunId | None = None
    value: str | None = None
    iteration: int | None = None
    attempts: tuple[Attempt, ...] = ()
    outputs: Mapping[str, object] | None = None
    dynamic: bool = False
    isolation: Mapping[str, object] | None = None
    """The isolation report of the last attempt, as JSON."""

    @property
    def state(self) -> State:
        """The latest state."""
        return self.history.current


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of a flow. `task_runs` keeps the order in which they were created.

    `version` counts saved changes and guards the row (compare and swap). `answers` holds what the world replied to
    `Resolve` commands, by key, until it is used.
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
    answers: Mapping[str, Answer] = field(default_factory=dict)
    version: int = 0

    @property
    def state(self) -> State:
        """The latest state."""
        return self.history.current


@dataclass(frozen=True, slots=True)
class Answer:
    """What the world replied to a `Resolve`: a value, or the text of an error."""

    value: object = None
    error: str | None = None


# What can happen ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """The execution was just created, or is to be looked at again after a restart of the service."""


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A worker holds the job of this attempt (counted from 1)."""

    task_run: TaskRunId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished:
    """A worker reports the end of an attempt."""

    task_run: TaskRunId
    attempt: int
    state: Literal[State.SUCCESS, State.WARNING, State.FAILED, State.KILLED, State.SKIPPED]
    outputs: Mapping[str, object] | None = None
    isolation: Mapping[str, object] | None = None
    log_file: str | None = None


@dataclass(frozen=True, slots=True)
class TimerDue:
    """A date asked for by `WakeAt` has come."""

    key: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The world's reply to `Resolve`."""

    key: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class KillRequested:
    """Someone wants it stopped."""


Event: TypeAlias = Begin | TaskStarted | TaskFinished | TimerDue | Resolved | KillRequested


# What a decision asks for ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferJob:
    """Let a worker run this attempt (counted from 1) of a task run."""

    task_run: TaskRunId
    attempt: int


@dataclass(frozen=True, slots=True)
class KillJob:
    """Stop the worker's job of this task run, or drop it if no worker holds it."""

    task_run: TaskRunId


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send `TimerDue(key)` at this date; asking again for the same key replaces the date."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Resolve:
    """Render this template with the world's functions (`kv`, `secret`, `read`...) and send `Resolved(key, ...)`."""

    key: str
    template: object
    variables: Mapping[str, object]
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """Append a log entry; without a task run it goes to the server's log only."""

    level: Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]
    message: str
    task_run: TaskRunId | None = None
    attempt: int | None = None


Command: TypeAlias = OfferJob | KillJob | WakeAt | Resolve | Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The next execution and what to do; `changed` names the task runs that differ from before (to be saved)."""

    execution: Execution
    commands: tuple[Command, ...] = ()
    changed: tuple[TaskRunId, ...] = ()
