"""A worker runs code in the runner that its configuration asks for only, whatever the control plane grants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.worker.conftest import CATALOG, CORE, SCRIPTS, manifest, running
from tests.worker.plane import Plane

from casemate.catalog import Capability
from casemate.governance import Rulebook, forced_runner

pytestmark = pytest.mark.anyio

PROCESS = f"{CORE}.runner.Process"
DOCKER = f"{SCRIPTS}.runner.docker.Docker"
TYPES = CATALOG.joined([manifest("company.Evaluate", "casemate.inside.core_log", Capability.RUNS_CODE)])


@pytest.fixture
async def docker_only(plane: Plane, tmp_path: Path) -> AsyncIterator[Path]:
    """A worker whose configuration puts all code into Docker."""
    catalog = TYPES.with_rules(Rulebook(configured=forced_runner(DOCKER)))
    async with running(plane, tmp_path / "work", catalog=catalog) as folder:
        yield folder


def refusal(name: str, forced: str) -> list[str]:
    return [f"This would be run by `{name}`, but `casemate.isolation.scripts.force-runner` asks for `{forced}`."]


@pytest.mark.parametrize("properties", [{}, {"taskRunner": {"type": PROCESS}}, {"runner": "PROCESS"}])
async def test_w4_a_script_that_was_taken_up_before_a_runner_was_forced(
    plane: Plane, docker_only: Path, properties: dict[str, object]
):
    job = await plane.give(f"{SCRIPTS}.shell.Commands", properties={"commands": ["echo ran"], **properties})
    assert (await plane.end_of(job)).state == "FAILED"
    assert plane.messages() == refusal(PROCESS, DOCKER)


async def test_w4_a_plugin_that_has_code_run_in_its_own_process(plane: Plane, docker_only: Path):
    job = await plane.give("company.Evaluate", properties={"message": "ran", "taskRunner": {"type": DOCKER}})
    assert (await plane.end_of(job)).state == "FAILED"
    assert plane.messages() == refusal(PROCESS, DOCKER)


async def test_what_runs_no_code_of_flows_needs_no_runner(plane: Plane, docker_only: Path):
    job = await plane.give(f"{CORE}.log.Log", properties={"message": "ran"})
    assert (await plane.end_of(job)).state == "SUCCESS"


async def test_a_script_in_the_forced_runner_is_run(plane: Plane, tmp_path: Path):
    catalog = TYPES.with_rules(Rulebook(configured=forced_runner(PROCESS)))
    async with running(plane, tmp_path / "work", catalog=catalog):
        job = await plane.give(f"{SCRIPTS}.shell.Commands", properties={"commands": ["echo ran"]})
        assert (await plane.end_of(job)).state == "SUCCESS"
