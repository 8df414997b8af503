"""Putting the parts together: the only place that names concrete adapters."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from casemate import walls
from casemate.catalog import Catalog, Manifest
from casemate.containers import Engines, own_host, sockets
from casemate.core import configured
from casemate.dispatch import Embedded
from casemate.encryption import encryption
from casemate.executions import Context, Execution
from casemate.flows import Flow, Quota
from casemate.host_paths import closed_places, private_places
from casemate.identifiers import ExecutionId, Namespace, TenantId, WorkerId
from casemate.jq import JqPrograms
from casemate.orchestrator import Orchestrator, QuotaRule, Rules, new_id
from casemate.plugins import Management
from casemate.sandbox import Sandboxes
from casemate.secrets import Secrets, secrets_from
from casemate.settings import Settings, envs, keyring
from casemate.storage import Storage, paths
from casemate.store import Database, flows
from casemate.worker import Docker, LocalFiles, Worker, policies, rules_for
from casemate.zone import server_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Casemate:
    """Every service, running in this process."""

    settings: Settings
    catalog: Catalog
    db: Database
    storage: Storage
    orchestrator: Orchestrator
    context: Context
    plugins: Management
    secrets: Secrets
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
async def running(
    settings: Settings, state: Path, sandboxes: Sandboxes, further: tuple[Manifest, ...] = ()
) -> AsyncIterator[Casemate]:
    """All services in one process over one state folder, until the context ends; `further` are types beside its own."""
    from casemate import __version__

    async with AsyncExitStack() as stack:
        jq = JqPrograms(sandboxes)
        db = await asyncio.to_thread(Database.open, f"sqlite:///{state / 'casemate.db'}")
        stack.callback(db.close)
        base = settings.storage.local_base_path
        storage = Storage.local(Path(base) if base else state / "storage")
        secrets = secrets_from(settings.secrets, db, keyring(settings.encryption))
        stack.callback(secrets.close)
        dispatch = Embedded()
        context, types = _context(settings), configured(settings, further)
        plugins = Management(types, settings.plugin_management, state)
        await asyncio.to_thread(plugins.refresh)
        rules = Rules(
            recover_missed=settings.recover_missed,
            quotas=_quotas(settings),
            recursive_rendering=settings.variables.recursive_rendering,
        )
        orchestrator = Orchestrator(db, storage, dispatch, secrets, types, context=context, rules=rules, jq=jq)
        dispatch.serve(orchestrator.desk)
        await orchestrator.start()
        stack.push_async_callback(orchestrator.stop)
        worker = Worker(
            await dispatch.link(WorkerId(f"worker-{new_id()}")),
            sandboxes,
            types,
            folder=sandboxes.folder,
            slots=walls.slots(settings),
            policy_for=policies(settings.isolation, settings.java_security, settings.http),
            http=settings.http,
            local=LocalFiles(allowed=settings.local_files, closed=closed_places(settings, state)),
            zone=context.zone,
            recursive_rendering=settings.variables.recursive_rendering,
            masking=settings.masking,
            jq=jq,
            docker=_docker(settings, state),
        )
        await stack.enter_async_context(_in_background(worker))
        reloading = asyncio.create_task(plugins.keep_fresh())
        stack.callback(reloading.cancel)
        yield Casemate(
            settings=settings,
            catalog=types,
            db=db,
            storage=storage,
            orchestrator=orchestrator,
            context=context,
            plugins=plugins,
            secrets=secrets,
            version=__version__,
        )


def _docker(settings: Settings, state: Path) -> Docker:
    # What an engine's socket opens is the whole machine, so it is as private as what the server keeps.
    private = (*private_places(settings, state), *sockets(os.environ))
    rules = rules_for(settings.isolation, volumes=settings.volume_enabled, private=private)
    return Docker(engines=Engines(state, own_host(os.environ)), rules_for=rules)


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


def _quotas(settings: Settings) -> tuple[QuotaRule, ...]:
    return tuple(
        QuotaRule(
            quota=Quota(duration=each.duration, limit=each.limit, behavior=each.behavior),
            namespace=Namespace(each.namespace) if each.namespace else None,
            tenant=TenantId(each.tenant) if each.tenant else None,
        )
        for each in settings.quotas
    )


def _context(settings: Settings) -> Context:
    keys = encryption(settings)
    return Context(
        globals=settings.variables.globals,
        envs=envs(settings.variables, os.environ),
        zone=server_zone(os.environ.get("TZ")),
        listeners=settings.listeners,
        templates=settings.templates,
        masking=settings.masking,
        seal=keys.seal,
        unseal=keys.unseal,
        plaintext=keys.plaintext,
    )
