"""A worker with real sandboxes, and a control plane that shows what it said."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from tests.worker.plane import Plane

from casemate.catalog import Capability, Catalog, Kind, Manifest
from casemate.identifiers import WorkerId
from casemate.jobs import Place
from casemate.sandbox import Egress, Limits, Policy, Rights, Sandboxes
from casemate.worker import Worker

CORE = "io.kestra.plugin.core"
SCRIPTS = "io.kestra.plugin.scripts"


def manifest(
    name: str,
    body: str | None = None,
    *capabilities: Capability,
    asks: tuple[str, ...] = (),
    properties: Mapping[str, object] | None = None,
    shared: bool = False,
) -> Manifest:
    return Manifest(
        type=name,
        kind=Kind.TASK,
        title=name,
        properties=properties or {},
        body=body,
        capabilities=frozenset(capabilities),
        asks=frozenset(asks),
        shared=shared,
    )


CATALOG = Catalog(
    (
        manifest(f"{CORE}.log.Log", "casemate.inside.core_log"),
        manifest(
            f"{CORE}.debug.Return", "casemate.inside.core_debug_return", properties={"properties": {"format": {}}}
        ),
        manifest(f"{CORE}.output.OutputValues", "casemate.inside.core_output_values"),
        manifest(f"{CORE}.execution.Fail", "casemate.inside.core_execution_fail"),
        manifest(f"{CORE}.flow.Sleep", "casemate.inside.core_flow_sleep"),
        manifest(f"{CORE}.kv.Set"),
        manifest(f"{CORE}.templating.TemplatedTask", asks=("kv.get",), shared=True),
        manifest(
            f"{CORE}.kv.Get", "casemate.inside.core_kv_get", asks=("kv.get",), properties={"properties": {"key": {}}}
        ),
        manifest(f"{CORE}.flow.WorkingDirectory"),
        manifest(
            f"{CORE}.storage.Concat",
            "casemate.inside.core_storage_concat",
            asks=("files.keep",),
            properties={"properties": {"files": {"x-file": True}}},
        ),
        manifest(
            f"{CORE}.storage.FilterItems",
            "casemate.inside.core_storage_filter_items",
            asks=("files.keep", "rows.render"),
            properties={"properties": {"from": {"x-file": True}, "filterCondition": {"x-late": True}}},
        ),
        manifest(
            f"{CORE}.storage.LocalFiles",
            "casemate.inside.core_storage_local_files",
            asks=("files.keep",),
            properties={"properties": {"inputs": {"x-file": True}}},
            shared=True,
        ),
        manifest(f"{CORE}.kv.Delete", "casemate.inside.core_kv_delete"),
        manifest(f"{SCRIPTS}.shell.Commands", None, Capability.RUNS_CODE),
        manifest(f"{SCRIPTS}.shell.Script", None, Capability.RUNS_CODE),
        manifest(f"{SCRIPTS}.python.Script", None, Capability.RUNS_CODE),
        manifest(f"{SCRIPTS}.python.Commands", None, Capability.RUNS_CODE),
        manifest(f"{SCRIPTS}.node.Script", None, Capability.RUNS_CODE),
        manifest(f"{SCRIPTS}.ruby.Script", None, Capability.RUNS_CODE),
    )
)


def policy_for(manifest: Manifest, _place: Place) -> Policy:
    code = Capability.RUNS_CODE in manifest.capabilities
    return Policy(rights=Rights(threads=code, processes=code), egress=Egress(open=False), limits=Limits(memory=1 << 30))


@pytest.fixture
def plane() -> Plane:
    return Plane()


@pytest.fixture
async def worker(plane: Plane, tmp_path: Path) -> AsyncIterator[Path]:
    """A worker at work; the folder in which its jobs have theirs."""
    async with running(plane, tmp_path / "work") as folder:
        yield folder


async def eventually(true: Callable[[], bool]) -> None:
    """Wait until something is true of the file system, which tells nobody when it changes."""
    with anyio.fail_after(20):
        while not true():  # noqa: ASYNC110
            await anyio.sleep(0.01)


def empty(folder: Path) -> bool:
    """Whether no job has a working directory in there; hidden names are the sandboxes' own."""
    return all(name.startswith(".") for name in os.listdir(folder))


@contextlib.asynccontextmanager
async def running(plane: Plane, folder: Path, *, slots: int = 4, catalog: Catalog = CATALOG) -> AsyncIterator[Path]:
    """A worker for as long as the context lasts."""
    async with Sandboxes.open(folder, slots=slots) as sandboxes:
        link = await plane.dispatch.link(WorkerId("worker-1"))
        worker = Worker(
            link, sandboxes, catalog, folder=folder, slots=slots, policy_for=policy_for, beat=timedelta(seconds=0.2)
        )
        async with anyio.create_task_group() as group:
            group.start_soon(worker.run)
            yield folder
            group.cancel_scope.cancel()
