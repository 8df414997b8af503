"""What travels between control plane and worker.

A hint carries no authority; a grant does, for as long as its fence is the newest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from casemate.flows import Task
from casemate.governance import Law
from casemate.identifiers import ExecutionId, Fence, FlowId, JobId, Namespace, TaskRunId, TenantId, WorkerId
from casemate.secret import Secret

Level: TypeAlias = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]


@dataclass(frozen=True, slots=True)
class Hint:
    """Some job waits in this queue. It may be stale, doubled or lost: only the claim decides."""

    job: JobId
    queue: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which task run a job belongs to."""

    tenant: TenantId
    namespace: Namespace
    flow: FlowId
    flow_revision: int
    execution: ExecutionId
    task_run: TaskRunId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The right to run one attempt, until someone else gets a higher fence.

    `task` is unrendered, `variables` the context its templates are rendered with (spec/engine 6.1). Secrets are not in
    it: the worker asks for each when a template does. `opened` are the sealed values that the variables
    have shown in the clear so far: rendering the task adds to them. `storage` is the folder of the task run's own
    files. `shares` says that the job is a WorkingDirectory's: it holds a folder, in which jobs come to work. `within`
    names the job in whose folder this one works. `laws` are the policies and plugin defaults for a task that only
    rendering brings to light, `refs` the policies that it is to be held to by reference.
    """

    job: JobId
    fence: Fence
    lease: timedelta
    place: Place
    task: Task
    variables: Mapping[str, object]
    opened: Sequence[Secret] = ()
    storage: str
    deadline: datetime | None = None
    shares: bool = False
    within: JobId | None = None
    laws: tuple[Law, ...] = ()
    refs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stale:
    """The hint is no longer true; forget it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Over:
    """No further job comes to work in the folder: time to take what it leaves and to report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One log entry written by a task run."""

    at: datetime
    level: Level
    message: str
    thread: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measurement; a timer's value is in seconds."""

    name: str
    kind: Literal["counter", "timer"]
    value: float
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """Log entries and metrics of a running job."""

    job: JobId
    fence: Fence
    lines: tuple[LogLine, ...] = ()
    metrics: tuple[Metric, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The end of an attempt; applied once, if the fence is still the newest.

    `log_file` is the address of the file that holds its log entries, where the task wants them there.
    """

    job: JobId
    fence: Fence
    state: Literal["SUCCESS", "WARNING", "FAILED", "KILLED"]
    outputs: Mapping[str, object] | None = None
    isolation: Mapping[str, object] | None = None
    log_file: str | None = None
    lines: tuple[LogLine, ...] = ()
    metrics: tuple[Metric, ...] = ()


Report: TypeAlias = Logged | Finished


@dataclass(frozen=True, slots=True)
class Kill:
    """Stop this job if it still has this fence."""

    job: JobId
    fence: Fence


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The worker lives and holds these jobs."""

    worker: WorkerId
    holds: tuple[tuple[JobId, Fence], ...] = ()
