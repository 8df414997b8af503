"""The desk: where workers claim jobs, ask, hand in files and report. What they say is checked against the rows."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from casemate.catalog import Catalog
from casemate.dispatch import Ask, LinkLost, NotHeld, Reply
from casemate.executions import Context, keeps_folder, noting, task_of, variables_of
from casemate.identifiers import Fence, JobId, WorkerId
from casemate.jobs import Finished, Grant, Heartbeat, Hint, Kill, Logged, Over, Place, Report, Stale
from casemate.orchestrator import caches, entries
from casemate.orchestrator.answering import Worlds
from casemate.orchestrator.calls import Caller, Calls
from casemate.orchestrator.delivery import laws_for, refs_of, unnamed
from casemate.orchestrator.errors import NotFound, Stopped, Undecidable
from casemate.orchestrator.following import folder_job, next_within
from casemate.orchestrator.holding import held
from casemate.orchestrator.items import Claim, End, Key
from casemate.orchestrator.lives import Live, Lives
from casemate.orchestrator.polls import Polls
from casemate.orchestrator.rules import Rules
from casemate.orchestrator.watching import Watchers
from casemate.orchestrator.world import whose_execution
from casemate.secret import Secret
from casemate.storage import Storage, paths
from casemate.store import Database, Job, StoreUnavailable, Tx, jobs, logs, metrics, workers

log = structlog.get_logger()

_WAITING = 10.0
"""Seconds that a worker's question for the next job in its folder is kept waiting."""

_SILENCE = timedelta(seconds=10)
"""After a heartbeat that could not be written: by then each worker has tried several times again."""

_REMEMBERED = 50_000
"""Of how many jobs the place is known without reading their rows."""

T = TypeVar("T")


class Desk:
    """The control plane as workers see it (`dispatch.ControlPlane`)."""

    def __init__(
        self,
        *,
        db: Database,
        lives: Lives,
        worlds: Worlds,
        calls: Calls,
        storage: Storage,
        context: Context,
        rules: Rules,
        boot: str,
        now: Callable[[], datetime],
        logged: Callable[[Key], None],
        watchers: Watchers,
        polls: Polls,
        catalog: Catalog,
    ) -> None:
        self._db = db
        self._lives = lives
        self._worlds = worlds
        self._calls = calls
        self._storage = storage
        self._catalog = catalog
        self._context = context
        self._rules = rules
        self._boot = boot
        self._now = now
        self._logged = logged
        self._watchers = watchers
        self._polls = polls
        self._late = 0
        self._unheard: datetime | None = None
        self._places: OrderedDict[JobId, Key] = OrderedDict()

    @property
    def late(self) -> int:
        """How many reports were dropped because their fence was old."""
        return self._late

    @property
    def hears(self) -> bool:
        """Could every worker that lives say so lately? Not while the database is away, nor at once when it is back."""
        return self._unheard is None or self._now() - self._unheard > _SILENCE

    def expect(self, job: JobId, key: Key) -> None:
        """Remember which execution a job belongs to; claims and reports name only the job."""
        self._places[job] = key
        if len(self._places) > _REMEMBERED:
            self._places.popitem(last=False)

    async def join(self, worker: WorkerId) -> None:
        """A worker connects."""
        await self._db.transact(workers.join, worker, self._boot, self._now())

    async def claim(self, worker: WorkerId, hint: Hint) -> Grant | Stale:
        """Give the job to this worker, unless someone else was faster or nobody wants it any more."""
        if self._polls.knows(hint.job):
            return self._polls.claim(worker, hint)
        with _away():
            key = await self._place(hint.job)
            if key is None:
                return Stale("there is no such job")
            try:
                granted = await self._lives.bring(key, Claim(hint.job, worker))
                live = await self._lives.current(key)
            except (NotFound, Undecidable):
                return Stale("its execution is gone, or can't go on")
            return granted if isinstance(granted, Stale) else self._grant(live, granted)

    async def _place(self, job: JobId) -> Key | None:
        if job not in self._places:
            stored = await self._db.read(jobs.get, job)
            if stored is None:
                return None
            self.expect(job, (stored.tenant, stored.execution))
        return self._places[job]

    def _grant(self, live: Live, job: Job) -> Grant:
        execution, run = live.execution, live.execution.task_runs[job.task_run]
        task = task_of(live.flow, run.task_id)
        place = (execution.namespace, execution.flow_id, execution.id)
        opened: list[Secret] = []
        log.debug("job.granted", job=job.id, worker=job.worker, fence=job.fence)
        return Grant(
            job=job.id,
            fence=job.fence,
            lease=self._rules.lease,
            place=Place(
                tenant=execution.tenant,
                namespace=execution.namespace,
                flow=execution.flow_id,
                flow_revision=execution.flow_revision,
                execution=execution.id,
                task_run=run.id,
                attempt=job.attempt,
            ),
            task=task,
            # Waiting for a worker counts, but a second worker need not hurry because the first one was lost.
            deadline=run.due if job.deliveries == 1 else None,
            variables=variables_of(live.flow, execution, run.id, noting(self._context, opened.append)),
            opened=opened,
            storage=paths.task_folder(*place, task.id, run.id),
            shares=keeps_folder(task),
            within=folder_job(live.flow, execution, run),
            laws=laws_for(task, live.flow, self._catalog.rules),
            refs=refs_of(task, live.flow),
        )

    async def report(self, worker: WorkerId, report: Report) -> bool:
        """Keep what a job wrote, or apply its end; False if its fence is no longer the newest."""
        with _away():
            if self._polls.knows(report.job):
                return await self._polls.report(worker, report)
            match report:
                case Logged():
                    heard = await self._keep(worker, report)
                case Finished():
                    heard = await self._finish(worker, report)
        if not heard:
            self._late += 1
            log.info("report.late", job=report.job, worker=worker, fence=report.fence)
        return heard

    async def _finish(self, worker: WorkerId, report: Finished) -> bool:
        key = await self._place(report.job)
        if key is None:
            return False
        try:
            heard: bool = await self._lives.bring(key, End(worker, report))
        except (NotFound, Undecidable):
            return False
        if heard:
            self._places.pop(report.job, None)
        return heard

    async def _keep(self, worker: WorkerId, report: Logged) -> bool:
        key = await self._place(report.job)
        if key is None:
            return False
        try:
            live = await self._lives.current(key)
        except NotFound:
            return False
        heard = await self._db.transact(self._write, worker, live, report)
        self._logged(key)
        return heard

    def _write(self, tx: Tx, worker: WorkerId, live: Live, report: Logged) -> bool:
        job = held(tx, worker, report.job, report.fence)
        if job is None:
            return False
        run, attempt = job.task_run, job.attempt
        longest = self._rules.message_characters
        logs.append(tx, entries.of_lines(live.execution, run, attempt, report.lines, longest))
        metrics.append(tx, entries.of_metrics(live.execution, run, attempt, report.metrics, self._now()))
        return True

    async def heartbeat(self, worker: WorkerId, heartbeat: Heartbeat) -> tuple[Kill, ...]:
        """Renew the leases of what the worker holds; the answer names what it has to stop."""
        others = tuple(each for each in heartbeat.holds if not self._polls.renew(worker, *each))
        try:
            with _away():
                stop = await self._db.transact(self._renew, worker, replace(heartbeat, holds=others))
        except LinkLost:
            self._unheard = self._now()
            raise
        return tuple(Kill(job, fence) for job, fence in stop)

    def _renew(self, tx: Tx, worker: WorkerId, heartbeat: Heartbeat) -> tuple[tuple[JobId, Fence], ...]:
        now = self._now()
        workers.seen(tx, worker, now)
        return jobs.renew(tx, worker, heartbeat.holds, now + self._rules.lease)

    async def follow(self, worker: WorkerId, job: JobId, fence: Fence) -> Hint | Over | None:
        """Which job is next in the folder that this job holds, as soon as that is known, or None after a while."""
        with _away():
            mine = await self._holding(worker, job, fence)
            with self._watchers.watching((mine.tenant, mine.execution)) as watcher:
                following = await self._next_within(mine)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_WAITING):
                        while following is None:
                            await watcher.news()
                            following = await self._next_within(await self._holding(worker, job, fence))
                return following

    async def _next_within(self, holder: Job) -> Hint | Over | None:
        live = await self._of(holder)
        return await self._db.read(next_within, live.execution, holder)

    async def answer(self, worker: WorkerId, job: JobId, fence: Fence, question: Ask) -> Reply:
        """Call a function of the world, or answer the body of a task, on behalf of a job."""
        with _away():
            if self._polls.knows(job):
                return await self._polls.answer(worker, job, fence, question)
            mine = await self._holding(worker, job, fence)
            live = await self._of(mine)
            if question.function == caches.ASKED:
                return await caches.reply(self._storage, live, mine.task_run, question, self._now())
            if self._calls.knows(question.function):
                caller = Caller(job=mine, flow=live.flow, execution=live.execution, now=self._now())
                return await self._calls.reply(worker, fence, caller, question)
            task = task_of(live.flow, live.execution.task_runs[mine.task_run].task_id)
            refusal = unnamed(question, task, recursive=self._rules.recursive_rendering)
            return refusal or await self._worlds.reply(whose_execution(live.execution), question)

    async def fetch(self, worker: WorkerId, job: JobId, fence: Fence, uri: str) -> AsyncIterator[bytes]:
        """The content of a file of the job's tenant."""
        with _away():
            tenant = self._polls.tenant(worker, job, fence) or (await self._holding(worker, job, fence)).tenant
        async for chunk in self._storage.stream(tenant, uri):
            yield chunk

    async def put(
        self, worker: WorkerId, job: JobId, fence: Fence, name: str, content: bytes | AsyncIterable[bytes]
    ) -> str:
        """Keep a file among those of the job's task run, nowhere else."""
        with _away():
            mine = await self._holding(worker, job, fence)
            execution = (await self._of(mine)).execution
        place = (execution.namespace, execution.flow_id, execution.id)
        task = execution.task_runs[mine.task_run].task_id
        return await self._storage.put(mine.tenant, paths.task_file(*place, task, mine.task_run, name), content)

    async def put_cache(self, worker: WorkerId, job: JobId, fence: Fence, content: AsyncIterable[bytes]) -> None:
        """Keep what a WorkingDirectory wants to find again."""
        with _away():
            mine = await self._holding(worker, job, fence)
            live = await self._of(mine)
        await caches.keep(self._storage, live, mine.task_run, content)

    async def _of(self, job: Job) -> Live:
        try:
            return await self._lives.current((job.tenant, job.execution))
        except NotFound as error:
            raise NotHeld from error

    async def _holding(self, worker: WorkerId, job: JobId, fence: Fence) -> Job:
        found = await self._db.read(held, worker, job, fence)
        if found is None:
            raise NotHeld
        return found


@contextmanager
def _away() -> Iterator[None]:
    """To a worker, a control plane without its database, or at its end, is one that does not answer."""
    try:
        yield
    except (StoreUnavailable, Stopped) as error:
        raise LinkLost from error
