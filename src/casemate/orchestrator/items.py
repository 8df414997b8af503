"""What is brought to an execution. Each is applied once, in a transaction, in the order of arrival."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from casemate.executions import Decision, Event, Execution
from casemate.flows import Flow
from casemate.identifiers import ExecutionId, Fence, JobId, TenantId, WorkerId
from casemate.jobs import Finished
from casemate.store import Timer

Key: TypeAlias = tuple[TenantId, ExecutionId]
"""Which execution."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something happened that concerns no job. Outcome: the execution after it."""

    event: Event


@dataclass(frozen=True, slots=True)
class Look:
    """The rules have changed, or the service was away: look at it again. No outcome."""


@dataclass(frozen=True, slots=True)
class Amend:
    """Someone decides about the execution as a whole. Outcome: the execution after it, or what `decided` raises."""

    decided: Callable[[Flow, Execution, datetime], Decision]


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker wants a job. Outcome: the granted `Job`, or `Stale`."""

    job: JobId
    worker: WorkerId


@dataclass(frozen=True, slots=True)
class End:
    """A worker reports the end of a job. Outcome: True, or False if it is not heard any more."""

    worker: WorkerId
    report: Finished


@dataclass(frozen=True, slots=True)
class Lost:
    """The holder of a job is gone: its lease is over, or (`dead`) its process is known to be. Outcome: was it true?"""

    job: JobId
    fence: Fence
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The date of a timer has come. No outcome."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message to the execution says happened; goes with the message. No outcome."""

    seq: int
    event: Event


@dataclass(frozen=True, slots=True)
class Born:
    """The execution that a task run asked for; goes with the message. Outcome: what was written, None if too late."""

    seq: int
    flow: Flow
    subflow: Execution


Item: TypeAlias = Happened | Look | Amend | Letter | Born | Claim | End | Lost | Due
