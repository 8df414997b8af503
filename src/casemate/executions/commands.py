"""What a decision asks the world to do. Every command may be repeated after a crash: its key says what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from casemate.executions.model import Call, Execution
from casemate.identifiers import TaskRunId
from casemate.jobs import Level
from casemate.masking import Mask


@dataclass(frozen=True, slots=True)
class OfferJob:
    """Let a worker run this attempt (counted from 1) of a task run.

    `within` is the WorkingDirectory in whose folder it has to run: only the worker that holds it may have the job.
    """

    task_run: TaskRunId
    attempt: int
    within: TaskRunId | None = None


@dataclass(frozen=True, slots=True)
class KillJob:
    """Stop the worker's job of this task run, or drop it if no worker holds it."""

    task_run: TaskRunId


@dataclass(frozen=True, slots=True)
class StartSubflow:
    """Start the execution that a task run asks for."""

    call: Call


@dataclass(frozen=True, slots=True)
class MergeOutputs:
    """Join the outputs of the executions that another task run has started, and send `OutputsMerged`."""

    call: Call


@dataclass(frozen=True, slots=True)
class KillSubflows:
    """Stop every execution that this one has started."""


@dataclass(frozen=True, slots=True)
class ForgetJob:
    """Stop the job of a task run that is gone from the execution; nobody is heard about it any more."""

    task_run: TaskRunId


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send `TimerDue(key)` at this date; asking again for the same key replaces the date."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ForgetTimer:
    """The date asked for by `WakeAt` under this key is of no interest any more."""

    key: str


@dataclass(frozen=True, slots=True)
class CountSlots:
    """Send `SlotsCounted`, in the transaction of this decision: nobody comes between the counting and the taking."""


@dataclass(frozen=True, slots=True)
class Resolve:
    """Render this template with the world's functions (`kv`, `secret`, `read`...) and send `Resolved(key, ...)`.

    `opened` gets to know what the variables open: the text of an error must not show it.
    """

    key: str
    template: object
    variables: Mapping[str, object]
    typed: bool = False
    opened: Mask = field(default_factory=Mask, compare=False)


@dataclass(frozen=True, slots=True)
class Write:
    """Append a log entry. Without a task run it is the server's, unless it is `kept` with the execution."""

    level: Level
    message: str
    task_run: TaskRunId | None = None
    attempt: int | None = None
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """Run the whole execution again, as the new one that `replayed` makes, at this date."""

    at: datetime


Command: TypeAlias = (
    OfferJob
    | KillJob
    | ForgetJob
    | StartSubflow
    | MergeOutputs
    | KillSubflows
    | WakeAt
    | ForgetTimer
    | CountSlots
    | Resolve
    | Write
    | Replay
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The next execution and what to do.

    `changed` names the task runs that differ from before and are to be saved, also those that are gone from the
    execution: a WaitFor forgets its last iteration, a WorkingDirectory what was done in a folder that is lost.
    """

    execution: Execution
    commands: tuple[Command, ...] = ()
    changed: tuple[TaskRunId, ...] = ()
