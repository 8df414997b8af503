"""A whole control plane of real parts: a database, a storage folder, embedded dispatch, workers that do as told."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from casemate.catalog import Catalog, read_manifests
from casemate.dispatch import Embedded, WorkerLink
from casemate.executions import Context, Execution
from casemate.flows import Flow, read_flow
from casemate.identifiers import MAIN, Namespace, WorkerId
from casemate.jobs import Finished, Grant, Hint, Kill, LogLine, Stale
from casemate.orchestrator import Orchestrator, Rules
from casemate.secrets import Backend, EnvironmentSecrets, Secrets
from casemate.settings import Service
from casemate.storage import Storage
from casemate.store import Database, StoredNamespace, flows, namespaces

START = datetime(2026, 5, 1, 12, tzinfo=UTC)

SECRETS = {"SECRET_TOKEN": b64encode(b"opensesame").decode(), "SECRET_OTHER": b64encode(b"unasked").decode()}


def catalog() -> Catalog:
    texts = (each.read_text() for each in files("casemate.manifests").iterdir() if each.name.endswith(".json"))
    return Catalog(manifest for text in texts for manifest in read_manifests(text))


CATALOG = catalog()


class Clock:
    """Goes only when it is told to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass
class Plane:
    """The parts of one start of the service."""

    db: Database
    storage: Storage
    dispatch: Embedded
    orchestrator: Orchestrator
    clock: Clock
    links: list[WorkerLink] = field(default_factory=list)

    async def link(self, name: str = "w1") -> WorkerLink:
        return await self.dispatch.link(WorkerId(name))

    async def save(self, source: str) -> Flow:
        flow = read_flow(source, CATALOG, MAIN)
        assert isinstance(flow, Flow), [problem.printed() for problem in flow]
        stored = await self.db.transact(flows.save, flow, self.clock())
        return await self.orchestrator.flow_of(MAIN, stored.namespace, stored.id, stored.revision)

    async def ended(self, execution: Execution) -> Execution:
        """The execution once it is terminated."""
        async with asyncio.timeout(20):
            async for seen in self.orchestrator.watch(MAIN, execution.id):
                execution = seen
        return execution


@asynccontextmanager
async def plane(
    folder: Path,
    clock: Clock | None = None,
    context: Context | None = None,
    denied: frozenset[Service] = frozenset(),
    backend: Backend | None = None,
    **rules,
) -> AsyncIterator[Plane]:
    """A service that works on this folder, from its start to a stop without goodbye."""
    clock = clock or Clock()
    db = Database.open(f"sqlite:///{folder}/state.db")
    storage = Storage.local(folder / "storage")
    dispatch = Embedded()
    orchestrator = Orchestrator(
        db,
        storage,
        dispatch,
        Secrets(backend or EnvironmentSecrets(SECRETS), denied=denied),
        CATALOG,
        context=context,
        rules=Rules(**rules),
        now=clock,
    )
    dispatch.serve(orchestrator.desk)
    await orchestrator.start()
    try:
        yield Plane(db, storage, dispatch, orchestrator, clock)
    finally:
        await orchestrator.stop()
        db.close()


async def allow(service: Plane, namespace: str, *allowed: str) -> None:
    """Let only flows of these namespaces read what is this one's."""
    place = Namespace(namespace)
    await service.db.transact(namespaces.delete, MAIN, place)
    record = StoredNamespace(tenant=MAIN, id=place, stamp="1", document={"allowedNamespaces": list(allowed)})
    await service.db.transact(namespaces.add, record)


async def claimed(link: WorkerLink) -> Grant:
    """The next job that this worker gets."""
    async with asyncio.timeout(10):
        while True:
            hint = await link.next()
            if isinstance(hint, Hint) and isinstance(grant := await link.claim(hint), Grant):
                return grant


def finished(grant: Grant, state: str = "SUCCESS", *messages: str, **more) -> Finished:
    """How a worker reports the end of what it was granted."""
    lines = tuple(LogLine(at=START, level="INFO", message=message) for message in messages)
    return Finished(job=grant.job, fence=grant.fence, state=state, lines=lines, **more)


@asynccontextmanager
async def working(link: WorkerLink, carry_out: Callable[[Grant], Finished] = finished) -> AsyncIterator[list[Grant]]:
    """A worker that carries out every job at once; the jobs it had."""
    done: list[Grant] = []

    async def work() -> None:
        while True:
            hint = await link.next()
            if isinstance(hint, Kill):
                continue
            grant = await link.claim(hint)
            if isinstance(grant, Stale):
                continue
            done.append(grant)
            await link.report(carry_out(grant))

    task = asyncio.create_task(work())
    try:
        yield done
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


ONE = """
id: one
namespace: company.team
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{ secret('TOKEN') }}"
"""

TWO = """
id: two
namespace: company.team
tasks:
  - id: first
    type: io.kestra.plugin.core.debug.Return
    format: x
  - id: second
    type: io.kestra.plugin.core.log.Log
    message: "{{ outputs.first.value }}"
"""
