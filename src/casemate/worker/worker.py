"""The worker: hears hints and kills, claims what it has room for, and holds each job until its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import Final, NoReturn
from uuid import uuid4

import structlog

from casemate.catalog import Capability, Catalog, Manifest
from casemate.dispatch import LinkLost, WorkerLink
from casemate.expressions import Jq, no_jq
from casemate.identifiers import Fence, JobId, friendly
from casemate.jobs import Grant, Heartbeat, Hint, Kill, Place, Stale
from casemate.masking import Style
from casemate.sandbox import Policy, Sandboxes, folders
from casemate.settings import HttpLists
from casemate.worker import attempt, programs
from casemate.worker.docker import Docker
from casemate.worker.local_files import LocalFiles
from casemate.worker.model import Job, Stop, Tools
from casemate.worker.seats import Seat

BEAT: Final = timedelta(seconds=2)
"""Between two heartbeats; well below any lease."""

_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class Worker:
    """One worker. `slots`: jobs at once. `zone` is the server's, for dates in templates.

    `folder` is the folder of the `sandboxes`, and this worker's alone: what an earlier one left there is removed.
    """

    def __init__(
        self,
        link: WorkerLink,
        sandboxes: Sandboxes,
        catalog: Catalog,
        *,
        folder: Path,
        slots: int,
        policy_for: Callable[[Manifest, Place], Policy],
        zone: tzinfo = UTC,
        recursive_rendering: bool = False,
        masking: Style = "fixed",
        jq: Jq = no_jq,
        http: HttpLists | None = None,
        local: LocalFiles | None = None,
        beat: timedelta = BEAT,
        docker: Docker | None = None,
    ) -> None:
        self._link = link
        self._folder = folder
        self._slots = asyncio.Semaphore(slots)
        self._beat = beat.total_seconds()
        self._held: dict[tuple[JobId, Fence], Job] = {}
        self._renderers = ThreadPoolExecutor(slots, thread_name_prefix="render")
        search = programs.search_path()
        self._tools = Tools(
            link=link,
            sandboxes=sandboxes,
            catalog=catalog,
            policy_for=policy_for,
            search=search,
            programs=programs.installed(search),
            renderers=self._renderers,
            zone=zone,
            serve=self._serve_within,
            recursive=recursive_rendering,
            masking=masking,
            jq=jq,
            http=http or HttpLists(),
            local=local or LocalFiles(),
            docker=docker,
        )

    async def run(self) -> None:
        """Work until cancelled; then every sandbox is ended and nothing more is reported."""
        await asyncio.to_thread(_clear, self._folder)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hear_kills())
                group.create_task(self._keep_beating())
                if (docker := self._tools.docker) is not None:
                    group.create_task(docker.engines.keep_clearing())
                await self._take_hints(group)
        finally:
            self._renderers.shutdown(wait=False, cancel_futures=True)
            if self._tools.docker is not None:
                await self._tools.docker.engines.close()

    async def _take_hints(self, group: asyncio.TaskGroup) -> NoReturn:
        while True:
            # The slot is not kept while there is no hint: someone who has left his may want it back.
            async with self._slots:
                pass
            match await self._next(kills_only=False):
                case Hint() as hint:
                    await self._slots.acquire()
                    group.create_task(self._serve(hint))
                case Kill() as kill:
                    self._stop(kill)

    async def _hear_kills(self) -> None:
        # Hints are only asked for when a slot is free; kills must be heard at any time.
        while True:
            if isinstance(kill := await self._next(kills_only=True), Kill):
                self._stop(kill)

    async def _next(self, *, kills_only: bool) -> Hint | Kill:
        while True:
            try:
                return await self._link.next(kills_only=kills_only)
            except LinkLost:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _serve(self, hint: Hint) -> None:
        seat = Seat(self._slots)
        try:
            match await self._link.claim(hint):
                case Grant() as grant:
                    await self._hold(grant, seat)
                case Stale(reason=reason):
                    log.debug("hint.stale", job=hint.job, reason=reason)
        except Exception:  # the top of the job's loop: the control plane grants the job again when its lease is over
            log.exception("job.dropped", job=hint.job)
        finally:
            seat.leave()

    async def _serve_within(self, hint: Hint, host: Job) -> None:
        match await self._link.claim(hint):
            case Grant() as grant if grant.within == host.grant.job:
                await self._hold(grant, host.seat, host)
            case Grant() as grant:
                log.error("job.elsewhere", job=grant.job, within=grant.within, holds=host.grant.job)
            case Stale(reason=reason):
                log.debug("hint.stale", job=hint.job, reason=reason)

    async def _hold(self, grant: Grant, seat: Seat, host: Job | None = None) -> None:
        key = (grant.job, grant.fence)
        try:
            job = self._accepted(grant, seat, host)
        except OSError as error:
            # Said at once: the next worker would hear of the job only when the lease is over, and may fare no better.
            await attempt.decline(grant, error, self._tools)
            return
        self._held[key] = job
        try:
            await attempt.attend(job, self._tools)
        finally:
            del self._held[key]

    def _accepted(self, grant: Grant, seat: Seat, host: Job | None) -> Job:
        """The job in a folder of its own, or in that of its host. OSError: there is no room for it."""
        if host is not None and self._shares(grant):
            return attempt.accept(grant, host.folder, self._tools, seat, host)
        folder = folders.make(self._folder, friendly(uuid4()))
        try:
            return attempt.accept(grant, folder, self._tools, seat, host)
        except OSError:
            folder.rmdir()
            raise

    def _shares(self, grant: Grant) -> bool:
        """Does this type of task work on the files of a folder? Whoever does not is not shown them."""
        manifest = self._tools.catalog.find(grant.task.canonical, grant.task.version)
        return manifest is not None and (manifest.shared or Capability.RUNS_CODE in manifest.capabilities)

    def _stop(self, kill: Kill) -> None:
        job = self._held.get((kill.job, kill.fence))
        if job is not None:
            job.stop_for(Stop.KILLED)

    async def _keep_beating(self) -> None:
        while True:
            try:
                for kill in await self._link.heartbeat(Heartbeat(worker=self._link.worker, holds=tuple(self._held))):
                    self._stop(kill)
            except Exception as error:  # the top of a loop: a worker without a heartbeat loses every job it holds
                log.warning("heartbeat.missed", worker=self._link.worker, error=type(error).__name__)
            await asyncio.sleep(self._beat)


def _clear(folder: Path) -> None:
    """Remove what an earlier worker left when it was killed; hidden names are the sandboxes' own."""
    for left in folder.iterdir():
        if not left.name.startswith("."):
            folders.remove(left)
