"""One job at work, and what the stages may use for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from casemate.catalog import Catalog, Manifest
from casemate.dispatch import WorkerLink
from casemate.expressions import Jq, no_jq
from casemate.jobs import Grant, Hint, Place
from casemate.masking import Mask, Style
from casemate.sandbox import Body, Command, End, Places, Policy, Sandboxes
from casemate.settings import HttpLists
from casemate.worker.archive import Look
from casemate.worker.denials import Denials
from casemate.worker.docker import Docker, Wanted
from casemate.worker.languages import Form, Language
from casemate.worker.local_files import LocalFiles
from casemate.worker.logbook import LogBook
from casemate.worker.logfile import LogFile
from casemate.worker.outputs import Gathered
from casemate.worker.seats import Seat


@dataclass(slots=True)
class Kept:
    """What a body has put into internal storage so far: files, and their bytes together."""

    files: int = 0
    size: int = 0


class Stop(StrEnum):
    """Why a job ends before its time."""

    KILLED = "killed"  #: a person, or the engine, wants it stopped
    TIMEOUT = "timeout"  #: it took longer than its task allows
    LOST = "lost"  #: someone else has a newer fence: nothing more is said about it


@dataclass(frozen=True, slots=True)
class Script:
    """What a script task type stands for."""

    language: Language
    form: Form


@dataclass(slots=True, kw_only=True)
class Job:
    """One granted job on its way through the stages; each fills in what the next ones need.

    `folder` is the working directory on the host, `places` say where it is inside. `hidden` names what the worker put
    into it for itself: that is never a result. `file` takes the log entries where the task wants them in a file.
    `timeout` is the time the whole job may take, counted from `claimed` on the loop's clock. `host` is the job in whose
    folder this one works.
    """

    grant: Grant
    folder: Path
    claimed: float
    stop: asyncio.Future[Stop]
    mask: Mask
    log: LogBook
    seat: Seat
    places: Places = field(default_factory=Places)
    host: Job | None = None
    file: LogFile | None = None
    manifest: Manifest | None = None
    policy: Policy | None = None
    denials: Denials | None = None
    script: Script | None = None
    docker: Wanted | None = None
    """The container it runs in, instead of a sandbox."""
    container: str | None = None
    """The id of that container, once there is one."""
    properties: Mapping[str, object] = field(default_factory=dict)
    timeout: timedelta | None = None
    hidden: set[str] = field(default_factory=set)
    warned: set[str] = field(default_factory=set)
    """What the log was said to be unable to mask."""
    files: dict[str, str] = field(default_factory=dict)
    """Where the files lie, as seen from inside, that the properties of a body name by their addresses."""
    kept: Kept = field(default_factory=Kept)
    restored: Look = field(default_factory=dict)
    """The files that its cache filled the folder with."""
    what: Body | Command | None = None
    gathered: Gathered = field(default_factory=Gathered)
    confided: Gathered = field(default_factory=Gathered)
    """Outputs that a script wants encrypted, in the clear, until its end."""
    spoke: bool = False
    """It told outputs, even if empty ones."""
    failed: bool = False
    """It told that it failed."""
    complained: bool = False
    """Something came on standard error."""
    end: End | None = None
    outputs: dict[str, object] | None = None

    alarms: list[asyncio.TimerHandle] = field(default_factory=list)

    def stop_for(self, reason: Stop) -> None:
        """Ask it to stop; the first reason counts."""
        if not self.stop.done():
            self.stop.set_result(reason)

    def host_stopped(self, stopped: asyncio.Future[Stop]) -> None:
        """Stop with the job in whose folder it works: as killed, unless nobody listens to either of them."""
        self.stop_for(Stop.LOST if stopped.result() is Stop.LOST else Stop.KILLED)

    def close(self) -> None:
        """Let go of its file, and be forgotten by clocks and its host: they may keep what has ended for a day."""
        if self.host is not None:
            self.host.stop.remove_done_callback(self.host_stopped)
        for alarm in self.alarms:
            alarm.cancel()
        if self.host is None:
            self.mask.forget()
        if self.file is not None:
            self.file.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What stages work with.

    `policy_for` raises `TaskFailed` for a type that may not run. `search` is `PATH` inside, `programs` the interpreters
    found there, by name. `renderers` are threads for templates, and for nothing else: they wait for answers that other
    threads have to work out. `zone` is what dates in templates are in, `recursive`: render until nothing changes,
    `masking` how logs show that a secret stood there, `jq` applies jq programs. `http` are the lists that bodies of
    HTTP tasks hold each request against, `local` are the files of this machine that tasks may name. `serve` carries out
    a job that works in the folder of another one. `docker` is for tasks that run in containers.
    """

    link: WorkerLink
    sandboxes: Sandboxes
    catalog: Catalog
    policy_for: Callable[[Manifest, Place], Policy]
    search: str
    programs: Mapping[str, str]
    renderers: Executor
    zone: tzinfo
    serve: Callable[[Hint, Job], Coroutine[Any, Any, None]]
    recursive: bool = False
    masking: Style = "fixed"
    jq: Jq = no_jq
    http: HttpLists = field(default_factory=HttpLists)
    local: LocalFiles = field(default_factory=LocalFiles)
    docker: Docker | None = None


Stage: TypeAlias = Callable[[Job, Tools], Coroutine[Any, Any, None]]
"""One step of a job; raises `TaskFailed` to end it."""
