"""What an operator grants works on a real engine; without it the same task fails before a container is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docker_runner.conftest import Dock

from casemate.containers import Rules
from casemate.sandbox import Egress

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_nothing_is_made_for_a_task_that_asks_too_much(dock: Dock):
    end = await dock.run("true", runner={"privileged": True, "networkMode": "host"})
    assert end.state == "FAILED"
    assert len(dock.plane.messages("ERROR")) == 2
    assert end.isolation is None


async def test_a_granted_folder_is_shown_as_far_as_it_is_granted(idle: Dock, tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "in.txt").write_text("from outside\n")
    idle.rules = Rules(grants=(f"volumes:{shared}:ro",))
    async with idle.working():
        await idle.run("cat /data/in.txt; touch /data/new", runner={"volumes": [f"{shared}:/data:ro"]})
    assert idle.plane.messages("INFO") == ["from outside"]
    assert not (shared / "new").exists()


async def test_a_mounted_working_directory_is_the_same_on_both_sides(idle: Dock):
    idle.rules = Rules(grants=("MOUNT",))
    async with idle.working():
        end = await idle.run(
            "cat in.txt > out.txt; ln -s /etc/shadow stolen.txt",
            runner={"fileHandlingStrategy": "MOUNT", "user": "65534"},
            inputFiles={"in.txt": "x"},
            outputFiles=["*.txt"],
        )
    assert end.state == "SUCCESS", idle.plane.messages()
    assert end.outputs is not None
    assert sorted(end.outputs["outputFiles"]) == ["in.txt", "out.txt"]


async def test_the_operators_network_is_joined_unless_tasks_have_none(idle: Dock):
    idle.rules = Rules(network="host")
    async with idle.working():
        end = await idle.run("ls /sys/class/net")
        assert end.isolation is not None
        assert end.isolation["walls"]["network"] == "network 'host' of the engine"
        assert end.isolation["allowed"]["network"] is True
        idle.egress = Egress(open=False)
        end = await idle.run("true")
        assert end.isolation is not None
        assert end.isolation["walls"]["network"] == "empty network namespace"


async def test_a_container_that_is_not_waited_for_goes_on_alone(idle: Dock):
    idle.rules = Rules(grants=("wait",))
    async with idle.working():
        end = await idle.run("sleep 60", runner={"wait": False})
        assert end.state == "SUCCESS"
        assert end.outputs is not None
        assert idle.containers("--filter", "status=running") == [end.outputs["taskRunner"]["containerId"]]


async def test_a_container_that_is_not_to_be_deleted_stays(idle: Dock):
    idle.rules = Rules(grants=("delete",))
    async with idle.working():
        end = await idle.run("exit 4", runner={"delete": False})
        assert end.outputs is not None
        assert idle.containers("--filter", "exited=4") == [end.outputs["taskRunner"]["containerId"]]


async def test_capabilities_and_a_writable_root_are_the_operators_word(idle: Dock):
    idle.rules = Rules(capabilities=("CHOWN",), read_only_root=False)
    async with idle.working():
        end = await idle.run("grep CapEff /proc/self/status; touch /etc/new && echo wrote")
    assert idle.plane.messages("INFO") == ["CapEff:\t0000000000000001", "wrote"]
    assert end.isolation is not None
    assert end.isolation["walls"]["capabilities"] == "none but CHOWN"


async def test_a_task_is_told_why_it_may_not_run_in_a_container(idle: Dock):
    idle.rules = Rules(refused="The Docker task runner is switched off by `casemate.isolation.docker.enabled`.")
    async with idle.working():
        assert (await idle.run("true")).state == "FAILED"
    assert idle.plane.messages("ERROR") == [idle.rules.refused]


async def test_an_engine_that_is_away_is_told_with_its_address(idle: Dock):
    idle.host = "unix:///nowhere/docker.sock"
    async with idle.working():
        assert (await idle.run("true")).state == "FAILED"
    (words,) = idle.plane.messages("ERROR")
    assert words.startswith("Docker execution failed because Docker socket is not accessible.")
    assert words.endswith("Tried Docker host: unix:///nowhere/docker.sock")
