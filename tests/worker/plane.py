"""A control plane small enough to see through: jobs are given to it, and what workers say about them is kept."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import anyio

from casemate.catalog import Role
from casemate.dispatch import Ask, Embedded, NotHeld, Reply
from casemate.flows import Task
from casemate.governance import Law
from casemate.identifiers import ExecutionId, Fence, FlowId, JobId, Namespace, TaskId, TaskRunId, TenantId, WorkerId
from casemate.jobs import Finished, Grant, Heartbeat, Hint, Kill, Logged, LogLine, Metric, Over, Place, Report, Stale
from casemate.secret import Secret

FENCE = Fence(7)

SECRETS: dict[JobId, Mapping[str, str]] = {}
"""Of the last job of that name, in any plane."""


class Plane:
    """Answers workers from memory. `files` is the internal storage; `answers` are functions of the world by name."""

    def __init__(self) -> None:
        self.dispatch = Embedded()
        self.dispatch.serve(self)
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, Callable[[Mapping[str, object]], Reply]] = {}
        self.grants: dict[JobId, Grant] = {}
        self.lines: list[LogLine] = []
        self.metrics: list[Metric] = []
        self.batches = 0
        self.beats: list[Heartbeat] = []
        self.workers: list[WorkerId] = []
        self.taken_away: set[JobId] = set()
        self.unwanted: set[JobId] = set()
        self.ended: dict[JobId, Finished] = {}
        self.guests: dict[JobId, list[JobId]] = {}
        self.caches: dict[JobId, bytes] = {}
        self.waiting: set[JobId] = set()
        self.changed = anyio.Event()

    async def share(self, *tasks: Grant, **wanted: object) -> JobId:
        """Offer the job of a WorkingDirectory in whose folder these are to work, in this order."""
        job = JobId(f"job-{len(self.grants)}")
        self.guests[job] = []
        for task in tasks:
            self.join_in(job, task)
        made = grant(job, "io.kestra.plugin.core.flow.WorkingDirectory", **wanted)
        self.grants[job] = replace(made, shares=True)
        await self.dispatch.offer([Hint(job)])
        return job

    def go_on(self) -> None:
        """Let folders wait no longer."""
        self.waiting.clear()
        self._notify()

    def join_in(self, host: JobId, task: Grant) -> None:
        """One more that is to work in a folder."""
        self.grants[task.job] = replace(task, within=host)
        self.guests[host].append(task.job)
        self._notify()

    async def give(self, canonical: str, /, **wanted: object) -> JobId:
        """Offer a job of this task type; the keywords are those of `grant`."""
        job = JobId(f"job-{len(self.grants)}")
        self.grants[job] = grant(job, canonical, **wanted)
        await self.dispatch.offer([Hint(job)])
        return job

    async def end_of(self, job: JobId) -> Finished:
        """How a job ended, once it has."""
        with anyio.fail_after(30):
            while job not in self.ended:
                await self.changed.wait()
        return self.ended[job]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that reports bring about."""
        with anyio.fail_after(30):
            while not true():
                await self.changed.wait()

    def messages(self, *levels: str) -> list[str]:
        """Log messages of these levels, all by default."""
        return [line.message for line in self.lines if not levels or line.level in levels]

    async def kill(self, job: JobId) -> None:
        """Tell whoever holds it to stop, now and with the answer to every heartbeat: a kill may be lost."""
        self.unwanted.add(job)
        for worker in self.workers:
            await self.dispatch.kill(worker, Kill(job, FENCE))

    async def join(self, worker: WorkerId) -> None:
        """See `ControlPlane`."""
        self.workers.append(worker)

    async def claim(self, _worker: WorkerId, hint: Hint) -> Grant | Stale:
        return self.grants.get(hint.job) or Stale("no such job")

    async def report(self, _worker: WorkerId, report: Report) -> bool:
        self.lines += report.lines
        self.metrics += report.metrics
        if isinstance(report, Logged):
            self.batches += 1
        heard = report.job not in self.taken_away
        if isinstance(report, Finished) and heard:
            assert report.job not in self.ended, "a job ends once"
            self.ended[report.job] = report
        self._notify()
        return heard

    async def heartbeat(self, _worker: WorkerId, heartbeat: Heartbeat) -> tuple[Kill, ...]:
        self.beats.append(heartbeat)
        self._notify()
        return tuple(Kill(job, fence) for job, fence in heartbeat.holds if job in self.unwanted)

    async def follow(self, _worker: WorkerId, job: JobId, _fence: Fence) -> Hint | Over | None:
        if job in self.taken_away:
            raise NotHeld
        while job in self.waiting:
            await self.changed.wait()
        over = [guest for guest in self.guests[job] if guest in self.ended]
        stopped = any(self.ended[guest].state in ("FAILED", "KILLED") for guest in over)
        left = [] if stopped else [guest for guest in self.guests[job] if guest not in self.ended]
        return Hint(left[0]) if left else Over()

    async def put_cache(self, _worker: WorkerId, job: JobId, _fence: Fence, content: AsyncIterable[bytes]) -> None:
        self.caches[job] = b"".join([chunk async for chunk in content])

    async def answer(self, _worker: WorkerId, job: JobId, _fence: Fence, question: Ask) -> Reply:
        if job in self.taken_away:
            raise NotHeld
        known = SECRETS.get(job, {})
        if question.function == "secret" and question.arguments["key"] in known:
            return Reply(known[str(question.arguments["key"])])
        return self.answers[question.function](question.arguments)

    async def fetch(self, _worker: WorkerId, _job: JobId, _fence: Fence, uri: str) -> AsyncIterator[bytes]:
        if uri not in self.files:
            raise FileNotFoundError(f"{uri} does not exist")
        for start in range(0, len(self.files[uri]), 1000):
            yield self.files[uri][start : start + 1000]

    async def put(
        self, _worker: WorkerId, job: JobId, _fence: Fence, name: str, content: bytes | AsyncIterable[bytes]
    ) -> str:
        uri = f"kestra:///examples/{job}/{name}"
        self.files[uri] = content if isinstance(content, bytes) else b"".join([chunk async for chunk in content])
        return uri

    def _notify(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()


def grant(
    job: JobId,
    canonical: str,
    *,
    properties: Mapping[str, object] | None = None,
    variables: Mapping[str, object] | None = None,
    secrets: Mapping[str, str] | None = None,
    opened: Iterable[Secret] = (),
    version: str | None = None,
    timeout: str | None = None,
    log_level: str | None = None,
    log_to_file: bool = False,
    defaulted: Iterable[str] = (),
    laws: tuple[Law, ...] = (),
) -> Grant:
    """The grant of a job with everything that is of no interest here filled in; its worker may ask for `secrets`."""
    SECRETS[job] = secrets or {}
    return Grant(
        job=job,
        fence=FENCE,
        lease=timedelta(seconds=30),
        place=Place(
            tenant=TenantId("main"),
            namespace=Namespace("examples"),
            flow=FlowId("flow"),
            flow_revision=1,
            execution=ExecutionId("execution"),
            task_run=TaskRunId("task-run"),
            attempt=1,
        ),
        task=Task(
            id=TaskId("task"),
            type=canonical,
            canonical=canonical,
            version=version,
            role=Role.RUNNABLE,
            properties=properties or {},
            timeout=timeout,
            log_level=log_level,
            log_to_file=log_to_file,
            defaulted=frozenset(defaulted),
        ),
        variables=variables or {},
        opened=opened,
        storage="examples/flow",
        laws=laws,
    )
