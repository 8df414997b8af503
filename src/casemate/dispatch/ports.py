"""The ports: how the control plane reaches workers, and how workers reach the control plane.

Hints and kills may be lost, doubled or late; nothing here is the only copy of anything. Claims, reports and heartbeats
are requests with an answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Protocol

from casemate.dispatch.model import Ask, Reply
from casemate.identifiers import Fence, JobId, WorkerId
from casemate.jobs import Grant, Heartbeat, Hint, Kill, Over, Report, Stale


class Dispatch(Protocol):
    """What the control plane sends without waiting for an answer."""

    async def offer(self, hints: Sequence[Hint]) -> int:
        """Tell workers that jobs wait; how many of the hints, from the first on, were taken."""
        ...

    async def kill(self, worker: WorkerId, kill: Kill) -> bool:
        """Tell a worker to stop a job; False if that worker cannot be reached just now."""
        ...


class WorkerLink(Protocol):
    """What a worker can say and hear. Everything it knows of the control plane goes through here."""

    @property
    def worker(self) -> WorkerId:
        """The name under which the control plane knows this worker."""
        ...

    async def next(self, *, kills_only: bool = False) -> Hint | Kill:
        """Wait for a hint or a kill; kills come first. A worker without a free slot asks for `kills_only`."""
        ...

    async def claim(self, hint: Hint) -> Grant | Stale:
        """Ask for the job behind a hint."""
        ...

    async def report(self, report: Report) -> bool:
        """Hand over what a job wrote or how it ended: True once durable, False if the job is no longer the worker's."""
        ...

    async def heartbeat(self, heartbeat: Heartbeat) -> tuple[Kill, ...]:
        """Renew the leases of the jobs held; the answer names those that must be stopped."""
        ...

    async def follow(self, job: JobId, fence: Fence) -> Hint | Over | None:
        """Which job is next to work in the folder that this job holds; raises `NotHeld`.

        None: nothing yet, though it waited a while. Such jobs are hinted to nobody else.
        """
        ...

    async def ask(self, job: JobId, fence: Fence, question: Ask) -> Reply:
        """Call a function of the world for a job that is being rendered; raises `NotHeld`."""
        ...

    def fetch(self, job: JobId, fence: Fence, uri: str) -> AsyncIterator[bytes]:
        """The content of a `kestra:///` file; raises `NotHeld`, and the storage's errors."""
        ...

    async def put(self, job: JobId, fence: Fence, name: str, content: bytes | AsyncIterable[bytes]) -> str:
        """Keep a file among those of the job's task run; its `kestra:///` URI. Raises `NotHeld`."""
        ...

    async def put_cache(self, job: JobId, fence: Fence, content: AsyncIterable[bytes]) -> None:
        """Keep what a WorkingDirectory wants to find again in its next execution. Raises `NotHeld`."""
        ...


class ControlPlane(Protocol):
    """What answers workers however they are connected. A worker's name comes from its connection, never from a body."""

    async def join(self, worker: WorkerId) -> None:
        """A worker connects."""
        ...

    async def claim(self, worker: WorkerId, hint: Hint) -> Grant | Stale:
        """See `WorkerLink.claim`."""
        ...

    async def report(self, worker: WorkerId, report: Report) -> bool:
        """See `WorkerLink.report`."""
        ...

    async def heartbeat(self, worker: WorkerId, heartbeat: Heartbeat) -> tuple[Kill, ...]:
        """See `WorkerLink.heartbeat`."""
        ...

    async def follow(self, worker: WorkerId, job: JobId, fence: Fence) -> Hint | Over | None:
        """See `WorkerLink.follow`."""
        ...

    async def answer(self, worker: WorkerId, job: JobId, fence: Fence, question: Ask) -> Reply:
        """See `WorkerLink.ask`."""
        ...

    def fetch(self, worker: WorkerId, job: JobId, fence: Fence, uri: str) -> AsyncIterator[bytes]:
        """See `WorkerLink.fetch`."""
        ...

    async def put(
        self, worker: WorkerId, job: JobId, fence: Fence, name: str, content: bytes | AsyncIterable[bytes]
    ) -> str:
        """See `WorkerLink.put`."""
        ...

    async def put_cache(self, worker: WorkerId, job: JobId, fence: Fence, content: AsyncIterable[bytes]) -> None:
        """See `WorkerLink.put_cache`."""
        ...
