"""Level container where namespaces can and cannot be had; what it holds is attacked in tests/containers."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.attacks.workers import NO_NAMESPACES, python_for_everybody, sources_for_everybody, worker_running

from casemate.sandbox import Level, Sandboxes

pytestmark = pytest.mark.anyio

ONE_LAUNCH = """
import asyncio, json, pathlib, sys, tempfile
from casemate.sandbox import Command, Launch, LaunchFailed, Level, Policy, Sandboxes, WallsMissing, folders

async def launch(sandboxes, policy):
    work = folders.make(sandboxes.folder, "one")
    command = Command(argv=("sh", "-c", "pwd"), env={})
    running = await sandboxes.launch(Launch(name="one", policy=policy, work=work, what=command))
    said = [event.text async for event in running.events()]
    return said, work, (await running.end()).isolation

async def main(required, wanted, folder):
    try:
        async with Sandboxes.open(pathlib.Path(folder), Level(required)) as sandboxes:
            said, work, isolation = await launch(sandboxes, Policy(required=Level(wanted)))
            print(json.dumps({"said": said, "work": str(work), "level": isolation.level, "report": isolation.allowed,
                "walls": dict(isolation.walls), "not held": sandboxes.not_held()}))
    except (WallsMissing, LaunchFailed) as error:
        print(json.dumps({"refused": str(error)}))

with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(*sys.argv[1:], folder))
"""


def launched(required: str, wanted: str) -> dict:
    """One launch in a process that may make no namespaces."""
    command = [python_for_everybody(), "-c", NO_NAMESPACES, "-c", ONE_LAUNCH, required, wanted]
    env = {"PYTHONPATH": sources_for_everybody(), "PATH": os.environ["PATH"]}
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout)


async def test_where_full_walls_stand_they_are_built_though_less_would_do(tmp_path):
    async with Sandboxes.open(tmp_path, Level.CONTAINER, slots=1) as sandboxes:
        assert sandboxes.level is Level.FULL
        assert sandboxes.folder == tmp_path
        assert not sandboxes.not_held()


def test_where_they_do_not_weaker_ones_are_built_when_asked_for_in_words():
    report = launched("container", "container")
    assert report["level"] == "container"
    assert report["said"] == [report["work"]]
    assert report["report"]["network"] is False
    assert report["report"]["write"] == ["the working directory"]
    assert "Landlock" in report["walls"]["files"]
    assert any("network" in each for each in report["not held"])


def test_they_are_never_built_otherwise():
    refused = launched("full", "full")["refused"]
    assert refused.startswith("Isolation level 'full' is required, this machine offers 'container'.")
    assert "casemate.isolation.required-level: container" in refused


def test_a_policy_that_requires_more_is_refused():
    assert launched("container", "full")["refused"] == (
        "The policy requires level 'full', these walls are of level 'container'."
    )


def test_there_may_be_more_beside_forbidden_paths_than_a_program_may_open():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as shown, worker_running(as_user=False, contained=True) as worker:
        Path(shown).chmod(0o755)
        for number in range(80):
            Path(shown, str(number)).touch()
        script, few = f"ls {shown}/7; cat {shown}/9", {"open_files": 64}
        told = worker.shell(script, visible=[shown], forbidden=[f"{shown}/9"], limits=few)
    assert told.stdout == [f"{shown}/7"]
    assert "9: Permission denied" in told.complained
