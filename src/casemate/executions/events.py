"""What can happen to an execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from casemate.executions.model import Answer, Call, State
from casemate.flows import Concurrency
from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskRunId


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SubflowStarted:
    """The execution that a task run asked for was created, in this state."""

    call: Call
    subflow: ExecutionId
    namespace: Namespace
    flow_id: FlowId
    state: State
    base: str | None = None
    """Where the outputs of the executions of a ForEachItem are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubflowRefused:
    """The execution that a task run asked for can not be created."""

    call: Call
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubflowEnded:
    """The execution that a task run started has ended. `failure` says why its outputs could not be taken over."""

    call: Call
    subflow: ExecutionId
    state: State
    outputs: Mapping[str, object] | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputsMerged:
    """The outputs of the executions of a ForEachItem were joined: the file, if there is one, or why there is none."""

    call: Call
    uri: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class FolderLost:
    """The worker that held the folder of this WorkingDirectory is gone, and its job waits for another one."""

    task_run: TaskRunId


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
    """Someone wants it stopped, and with `cascade` all executions that it has started."""

    cascade: bool = True


@dataclass(frozen=True, slots=True)
class PauseRequested:
    """Someone wants nothing new to be started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequested:
    """Someone wants it to go on. `inputs` are the resolved values that the Pause asks for.

    Without a task run the oldest paused one is meant.
    """

    inputs: Mapping[str, object] = field(default_factory=dict)
    task_run: TaskRunId | None = None


@dataclass(frozen=True, slots=True)
class SlotsCounted:
    """The reply to `CountSlots`: how many others of the flow run, how many wait longer, and the limit of today.

    The limit is that of the flow's last revision, so that raising it helps those that wait; None if it has none.
    """

    running: int
    waiting: int
    concurrency: Concurrency | None


@dataclass(frozen=True, slots=True)
class UnqueueRequested:
    """Someone lets a queued execution go, into this state, whatever the limit says."""

    state: Literal[State.RUNNING, State.CANCELLED, State.FAILED] = State.RUNNING


@dataclass(frozen=True, slots=True)
class RunForced:
    """Someone wants it to run now, whatever it waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchedOff:
    """A kill switch of that name ends it in this state; `immediate` stops also what is at work."""

    name: str
    state: Literal[State.KILLED, State.CANCELLED]
    immediate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaExceeded:
    """More of its kind were created than a quota allows; `place` is whose quota it is."""

    place: str
    duration: str
    limit: int
    behavior: Literal["CANCEL", "FAIL"]


Event: TypeAlias = (
    Begin
    | TaskStarted
    | TaskFinished
    | SubflowStarted
    | SubflowRefused
    | SubflowEnded
    | OutputsMerged
    | FolderLost
    | TimerDue
    | Resolved
    | KillRequested
    | PauseRequested
    | ResumeRequested
    | SlotsCounted
    | UnqueueRequested
    | RunForced
    | SwitchedOff
    | QuotaExceeded
)
