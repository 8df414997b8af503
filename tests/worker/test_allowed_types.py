"""A worker refuses what its configuration does not allow, whatever the control plane grants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.worker.conftest import CATALOG, CORE, SCRIPTS, running
from tests.worker.plane import Plane

from casemate.catalog import Allowed, Kind, Manifest

pytestmark = pytest.mark.anyio

PROCESS = f"{CORE}.runner.Process"
TYPES = CATALOG.joined(
    [
        Manifest(type=PROCESS, kind=Kind.TASK_RUNNER, title="runner", properties={}),
        Manifest(
            type=f"{CORE}.debug.Echo",
            aliases=("old.Echo",),
            kind=Kind.TASK,
            title="echo",
            properties={},
            body="casemate.inside.core_debug_echo",
        ),
    ]
)


def refusal(name: str) -> list[str]:
    return [f"Invalid type: {name}", f"Plugin '{name}' is not allowed by 'kestra.plugins.security'."]


@pytest.fixture
async def strict(plane: Plane, tmp_path: Path) -> AsyncIterator[Path]:
    """A worker that allows neither the Process runner, nor Echo, nor WorkingDirectory."""
    excluded = (PROCESS, f"{CORE}.debug.Echo", f"{CORE}.flow.WorkingDirectory")
    async with running(plane, tmp_path / "work", catalog=TYPES.restricted_to(Allowed(excludes=excluded))) as folder:
        yield folder


async def test_a_flow_that_was_stored_before_its_type_was_forbidden(plane: Plane, strict: Path):
    ended = await plane.end_of(await plane.give(f"{CORE}.debug.Echo", properties={"format": "{{ secret('x') }}"}))
    assert ended.state == "FAILED"
    assert plane.messages("ERROR") == refusal(f"{CORE}.debug.Echo")


async def test_others_run_on(plane: Plane, strict: Path):
    ended = await plane.end_of(await plane.give(f"{CORE}.debug.Return", properties={"format": "x"}))
    assert ended.state == "SUCCESS"


@pytest.mark.parametrize("name", [f"{CORE}.debug.Echo", "old.Echo"])
async def test_a_type_that_a_template_writes_down(plane: Plane, strict: Path, name: str):
    variables = {"kind": name.rpartition(".")[2]}
    spec = f"{{id: inner, type: {name.rpartition('.')[0]}.{{{{ kind }}}}}}"
    job = await plane.give(f"{CORE}.templating.TemplatedTask", properties={"spec": spec}, variables=variables)
    assert (await plane.end_of(job)).state == "FAILED"
    assert "not allowed by 'kestra.plugins.security'" in "\n".join(plane.messages("ERROR"))


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"taskRunner": {"type": PROCESS}},
        {"taskRunner": {"type": "{{ runner }}"}},
        {"runner": "PROCESS"},
        {"runner": "process", "taskRunner": {"type": "io.kestra.other"}},
    ],
)
async def test_a_runner_in_any_spelling(plane: Plane, strict: Path, properties: dict[str, object]):
    job = await plane.give(
        f"{SCRIPTS}.shell.Commands",
        properties={"commands": ["echo ran"], **properties},
        variables={"runner": PROCESS},
    )
    assert (await plane.end_of(job)).state == "FAILED"
    assert plane.messages() == refusal(PROCESS)


async def test_the_folder_of_a_working_directory_is_not_held(plane: Plane, strict: Path):
    host = await plane.share()
    assert (await plane.end_of(host)).state == "FAILED"
    assert plane.messages("ERROR") == refusal(f"{CORE}.flow.WorkingDirectory")
