"""Putting the parts together: the only place that names concrete adapters."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from casemate.catalog import Catalog
from casemate.core import catalog
from casemate.dispatch import Embedded
from casemate.errors import CasemateError
from casemate.executions import Context, Execution
from casemate.expressions import ExpressionError
from casemate.flows import Flow
from casemate.identifiers import ExecutionId, WorkerId
from casemate.jq import SLOTS, JqPrograms
from casemate.keys import Cipher, KeyRefused
from casemate.orchestrator import Orchestrator, new_id
from casemate.sandbox import Level, Sandboxes
from casemate.secrets import EnvironmentSecrets
from casemate.settings import Settings, envs
from casemate.storage import Storage, paths
from casemate.store import Database, flows
from casemate.worker import Worker, policy_for
from casemate.zone import server_zone


class StateUnusable(CasemateError):
    """The state folder cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Casemate:
    """Every service, running in this process."""

    settings: Settings
    catalog: Catalog
    db: Database
    storage: Storage
    orchestrator: Orchestrator
    context: Context
    version: str

    async def save(self, flow: Flow) -> Flow:
        """Store a flow; the same with the revision it got."""
        stored = await self.db.transact(flows.save, flow, datetime.now(UTC))
        return await self.orchestrator.flow_of(stored.tenant, stored.namespace, stored.id, stored.revision)

    async def create(
        self, flow: Flow, values: Mapping[str, object], uploads: Mapping[str, AsyncIterable[bytes]]
    ) -> Execution:
        """Start a flow; uploads are stored first, and become the values of their inputs."""
        execution = ExecutionId(new_id())
        stored = {
            name: await self.storage.put(
                flow.tenant, paths.input_file(flow.namespace, flow.id, execution, name, f"{name}.upl"), content
            )
            for name, content in uploads.items()
        }
        return await self.orchestrator.create(flow, {**values, **stored}, execution_id=execution)


@asynccontextmanager
async def running(settings: Settings, state: Path) -> AsyncIterator[Casemate]:
    """All services in one process over one state folder, until the context ends.

    Walls first: if they cannot be built (`WallsMissing`), nothing is opened and nothing taken up.
    """
    from casemate import __version__

    _make(state)
    isolation = settings.isolation
    async with AsyncExitStack() as stack:
        level, slots = Level(isolation.required_level), settings.worker.slots or _slots()
        sandboxes = await stack.enter_async_context(Sandboxes.open(state / "sandboxes", level, slots + SLOTS))
        jq = JqPrograms(sandboxes, state / "sandboxes")
        db = await asyncio.to_thread(Database.open, f"sqlite:///{state / 'casemate.db'}")
        stack.callback(db.close)
        base = settings.storage.local_base_path
        storage = Storage.local(Path(base) if base else state / "storage")
        secrets = EnvironmentSecrets(os.environ)
        dispatch = Embedded()
        context, types = _context(settings), catalog().with_defaults(settings.plugin_defaults)
        orchestrator = Orchestrator(db, storage, dispatch, secrets, types, context=context, jq=jq)
        dispatch.serve(orchestrator.desk)
        await orchestrator.start()
        stack.push_async_callback(orchestrator.stop)
        worker = Worker(
            await dispatch.link(WorkerId(f"worker-{new_id()}")),
            sandboxes,
            types,
            folder=state / "sandboxes",
            slots=slots,
            policy_for=partial(policy_for, isolation=isolation, java_security=settings.java_security),
            zone=context.zone,
            recursive_rendering=settings.variables.recursive_rendering,
            jq=jq,
        )
        await stack.enter_async_context(_in_background(worker))
        yield Casemate(
            settings=settings,
            catalog=types,
            db=db,
            storage=storage,
            orchestrator=orchestrator,
            context=context,
            version=__version__,
        )


@asynccontextmanager
async def _in_background(worker: Worker) -> AsyncIterator[None]:
    """A worker that dies takes the process with it: jobs that nobody claims would wait in silence."""
    task = asyncio.create_task(worker.run())
    owner = asyncio.current_task()
    task.add_done_callback(lambda done: owner.cancel() if owner and not done.cancelled() else None)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _make(state: Path) -> None:
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StateUnusable(f"{state}: cannot be used as state folder: {error.strerror}") from error


def _slots() -> int:
    """Task runs at once, when nothing is configured: enough to overlap what waits, few enough to stay quick."""
    return max(8, 4 * (os.cpu_count() or 1))


def _context(settings: Settings) -> Context:
    key = settings.encryption.secret_key
    cipher = Cipher(key) if key else None
    return Context(
        globals=settings.variables.globals,
        envs=envs(settings.variables, os.environ),
        zone=server_zone(os.environ.get("TZ")),
        seal=cipher.encrypt if cipher else None,
        unseal=_opening(cipher) if cipher else None,
    )


def _opening(cipher: Cipher) -> Callable[[str], str]:
    def unseal(text: str) -> str:
        try:
            return cipher.decrypt(text)
        except KeyRefused as error:
            raise ExpressionError(str(error)) from None

    return unseal
