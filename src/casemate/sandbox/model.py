"""What a sandbox may do, what it is to run, and what it says back: values only, no kernel here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

from casemate.secret import Secret


class Level(StrEnum):
    """How much of the wall stands (design: the ladder of places)."""

    FULL = "full"  #: own namespaces, private root, Landlock where the kernel has it, seccomp
    CONTAINER = "container"  #: no namespaces to be had: Landlock and seccomp only
    DOCKER = "container (docker)"  #: a container of an engine: its walls, not ours; no sandbox has this level
    NONE = "none"  #: nothing holds; refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one sandbox may use; sizes in bytes, None means no own limit.

    `memory`, `processes` and `cpu` (in cores) count everything in it, `open_files` and `file_size` are each process's
    or file's own; `disk` and `inodes` are what its working directory takes, `temporary` and `temporary_inodes` its
    `/tmp`; `duration` is in seconds.
    """

    memory: int | None = 2 << 30
    processes: int = 512
    open_files: int = 1024
    file_size: int = 1 << 30
    temporary: int = 256 << 20
    output: int = 256 << 20
    line: int = 1 << 20
    cpu: float | None = None
    disk: int | None = 16 << 30
    inodes: int | None = 1_000_000
    temporary_inodes: int = 100_000
    duration: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the thing inside may start. `denied_by` are the settings that took something of it away, to be told."""

    threads: bool = False
    processes: bool = False
    denied_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """Where connections may go. `open` False: no network at all; `public` False: only to what `allow` lists.

    `allow` and `deny` are ranges and names, each perhaps with a port, that come before the default rules.
    """

    open: bool = False
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    public: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy that all connections of all sandboxes go through; `credentials` are `user:password`."""

    host: str
    port: int
    credentials: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything a sandbox is allowed; the digest names it in reports."""

    required: Level = Level.FULL
    visible: tuple[str, ...] = ()
    """Further host paths that are shown read-only."""
    forbidden: tuple[str, ...] = ()
    rights: Rights = field(default_factory=Rights)
    egress: Egress = field(default_factory=Egress)
    limits: Limits = field(default_factory=Limits)
    writable: tuple[str, ...] = ()
    """Further host paths that can be written; what the machine lets the task's user write."""
    learning: bool = False
    """Is what it touches taken down? That changes nothing about the walls."""

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, first 16 hex digits."""
        return _digest(self)


@lru_cache(maxsize=256)
def _digest(policy: Policy) -> str:
    return hashlib.sha256(json.dumps(asdict(policy), sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A task implementation: module name and the job as JSON values.

    The module is one of `casemate.inside`, or of the `wheel` of a plugin, which lies there as seen from inside.
    """

    module: str
    job: Mapping[str, object]
    wheel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run in the working directory. Its environment is PATH, HOME, LANG, TMPDIR and `env`."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a launch finds its folders, as seen from inside."""

    work: str = "/work"
    temporary: str = "/tmp"  # noqa: S108 - inside it is private


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One thing to run behind one set of walls; `work` is the host folder where it starts (`Sandboxes.places`)."""

    name: str
    policy: Policy
    work: Path
    what: Body | Command


@dataclass(frozen=True, slots=True)
class Line:
    """A line on standard output or error, without its line end, undecodable bytes replaced, cut at the line limit."""

    stream: Literal["stdout", "stderr"]
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A message of a body: one of `{"log": {"level", "message"}}`, `{"metric": {"name", "kind", "value", "tags"}}`,
    `{"outputs": {...}}`, `{"failed": {"message", "causes", "trace"}}` and `{"ask": {"function", "arguments"}}`, for
    whose answer the body waits (`Running.answer`).
    """

    message: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """Which walls stood around one launch and what happened at them; kept with the task run."""

    level: Level
    walls: Mapping[str, str]
    """Wall to mechanism, e.g. `{"files": "mount namespace, private root", "network": "empty network namespace"}`."""
    policy: str
    allowed: Mapping[str, object] = field(default_factory=dict)
    denied: tuple[Mapping[str, object], ...] = ()
    reached: tuple[Mapping[str, object], ...] = ()
    limits_hit: tuple[str, ...] = ()
    resources: Mapping[str, float] = field(default_factory=dict)
    """`wallSeconds`, `cpuSeconds`, `peakMemoryBytes`."""
    touched: Mapping[str, object] | None = None
    """Under a policy for learning: what it touched, as `recording.Touched.report` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a launch ended: an exit code, or a signal, and the report.

    `killed` says why, if we or the kernel ended it before its time, e.g. `memory limit 512 MiB`; `met` are all limits
    that it met in such words.
    """

    exit_code: int | None
    signal: int | None
    isolation: Isolation
    killed: str | None = None
    met: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wall:
    """One thing the kernel of this machine offers or not, found by trying; `remedy` may tell how to make it better."""

    name: str
    stands: bool
    mechanism: str
    missing: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """What this machine can do."""

    level: Level
    walls: tuple[Wall, ...]
    contained: tuple[Wall, ...] = ()
    """Where full walls cannot be built: those of level container."""
    not_held: tuple[str, ...] = ()
    """What they do not hold that full ones do, in words."""


Event: TypeAlias = Line | Told
