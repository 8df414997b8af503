"""Both ports inside one process: a bounded line of hints for each queue, a line of kills for each worker.

A hint that is in line already is not put there twice.

Nothing here survives the process, and nothing has to: the control plane hints again from its rows.
"""

from __future__ import annotations

from asyncio import Event
from collections import OrderedDict, defaultdict, deque
from collections.abc import AsyncIterable, AsyncIterator, Sequence

from casemate.dispatch.errors import LinkLost
from casemate.dispatch.model import Ask, Reply
from casemate.dispatch.ports import ControlPlane, WorkerLink
from casemate.identifiers import Fence, JobId, WorkerId
from casemate.jobs import Grant, Heartbeat, Hint, Kill, Over, Report, Stale


class Embedded:
    """The dispatch of one process. `capacity` bounds the hints of one queue; the rest is offered again later."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._hints: defaultdict[str, OrderedDict[JobId, Hint]] = defaultdict(OrderedDict)
        self._links: dict[WorkerId, _Link] = {}
        self._control: ControlPlane | None = None

    def serve(self, control: ControlPlane) -> None:
        """From now on this control plane answers the workers."""
        self._control = control

    @property
    def control(self) -> ControlPlane:
        """Who answers; raises `LinkLost` before `serve`."""
        if self._control is None:
            raise LinkLost
        return self._control

    async def link(self, worker: WorkerId, queue: str = "default") -> WorkerLink:
        """Connect a worker that serves one queue. Connecting again under the same name replaces the older link."""
        await self.control.join(worker)
        link = _Link(self, worker, self._hints[queue])
        self._links[worker] = link
        return link

    async def offer(self, hints: Sequence[Hint]) -> int:
        """Put hints in line as far as there is room."""
        taken = 0
        for hint in hints:
            line = self._hints[hint.queue]
            if len(line) >= self._capacity and hint.job not in line:
                break
            line[hint.job] = hint
            taken += 1
        self._wake()
        return taken

    async def kill(self, worker: WorkerId, kill: Kill) -> bool:
        """Put a kill in the worker's own line."""
        link = self._links.get(worker)
        if link is None:
            return False
        link.kills.append(kill)
        link.news.set()
        return True

    def _wake(self) -> None:
        for link in self._links.values():
            link.news.set()


class _Link:
    """One worker's end."""

    def __init__(self, dispatch: Embedded, worker: WorkerId, hints: OrderedDict[JobId, Hint]) -> None:
        self._dispatch = dispatch
        self._worker = worker
        self._hints = hints
        # A kill that falls out of a full line is repeated in the answer to the next heartbeat.
        self.kills: deque[Kill] = deque(maxlen=1_000)
        self.news = Event()

    @property
    def worker(self) -> WorkerId:
        return self._worker

    async def next(self, *, kills_only: bool = False) -> Hint | Kill:
        while True:
            if self.kills:
                return self.kills.popleft()
            if self._hints and not kills_only:
                return self._hints.popitem(last=False)[1]
            # Nothing is awaited between looking and clearing, so no news can be missed.
            self.news.clear()
            await self.news.wait()

    async def claim(self, hint: Hint) -> Grant | Stale:
        return await self._dispatch.control.claim(self._worker, hint)

    async def report(self, report: Report) -> bool:
        return await self._dispatch.control.report(self._worker, report)

    async def heartbeat(self, heartbeat: Heartbeat) -> tuple[Kill, ...]:
        return await self._dispatch.control.heartbeat(self._worker, heartbeat)

    async def follow(self, job: JobId, fence: Fence) -> Hint | Over | None:
        return await self._dispatch.control.follow(self._worker, job, fence)

    async def ask(self, job: JobId, fence: Fence, question: Ask) -> Reply:
        return await self._dispatch.control.answer(self._worker, job, fence, question)

    def fetch(self, job: JobId, fence: Fence, uri: str) -> AsyncIterator[bytes]:
        return self._dispatch.control.fetch(self._worker, job, fence, uri)

    async def put(self, job: JobId, fence: Fence, name: str, content: bytes | AsyncIterable[bytes]) -> str:
        return await self._dispatch.control.put(self._worker, job, fence, name, content)

    async def put_cache(self, job: JobId, fence: Fence, content: AsyncIterable[bytes]) -> None:
        await self._dispatch.control.put_cache(self._worker, job, fence, content)
