"""Containers of a worker that died: resumed by the next one over the same folder, or removed; never left."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docker_runner.conftest import IMAGE, Dock

from casemate.containers import Engines

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def left_behind(dock: Dock, home: str, life: str, *, resume: bool = True, more: tuple[str, ...] = ()) -> str:
    """A container as a worker that was killed leaves it."""
    labels = {"casemate.io/home": home, "casemate.io/life": life, "casemate.io/resume": str(resume).lower()}
    words = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    return dock.engine.call("run", "--detach", "--network", "none", *words, *more, IMAGE, "/bin/sleep", "60").strip()


@pytest.fixture
def engines(idle: Dock, tmp_path: Path) -> Engines:
    (tmp_path / "worker").mkdir()
    return Engines(tmp_path / "worker", f"unix://{idle.engine.socket}")


async def test_what_may_not_be_resumed_goes_at_the_next_start(idle: Dock, engines: Engines):
    home = engines.home()
    left_behind(idle, home, "an earlier life", resume=False)
    waiting = left_behind(idle, home, "an earlier life")
    other = left_behind(idle, "another worker's", "an earlier life", resume=False)
    await engines.clear(resumable=False)
    assert sorted(idle.containers()) == sorted([waiting, other])
    await engines.clear(resumable=True)
    assert idle.containers() == [other]
    await engines.close()


async def test_what_works_now_and_what_was_left_on_purpose_stays(idle: Dock, engines: Engines):
    home = engines.home()
    left_behind(idle, home, engines.life)
    left_behind(idle, home, "an earlier life", more=("--label", "casemate.io/left=true"))
    await engines.clear(resumable=True)
    assert len(idle.containers()) == 2
    await engines.close()


async def test_a_worker_that_has_had_no_container_asks_no_engine(idle: Dock, tmp_path: Path):
    await Engines(tmp_path, "unix:///nowhere/docker.sock").keep_clearing()


async def test_the_home_outlives_the_worker(tmp_path: Path):
    assert Engines(tmp_path, "unix:///x").home() == Engines(tmp_path, "unix:///x").home()


async def test_a_worker_that_stops_ends_its_containers(idle: Dock):
    async with idle.working():
        await idle.give("echo up; sleep 60")
        await idle.plane.until(lambda: "up" in idle.plane.messages())
        assert len(idle.containers()) == 1
    assert idle.containers() == []


@pytest.mark.parametrize("resume", [True, False])
async def test_a_container_of_this_attempt_is_taken_up_unless_its_flow_says_no(idle: Dock, resume: bool):
    async with idle.working():
        labels = {"namespace": "examples", "flow-id": "flow", "task-id": "task", "execution-id": "execution"}
        labels |= {"taskrun-id": "task-run", "taskrun-attempt": "1"}
        words = [word for name, value in labels.items() for word in ("--label", f"kestra.io/{name}={value}")]
        digest = idle.policy_for(None, None).digest
        more = (*words, "--label", f"casemate.io/policy={digest}", "--entrypoint", "/bin/sh")
        told = ("--label", "casemate.io/resume=true")
        script = "echo from before; sleep 2; exit 3"
        idle.engine.call("run", "--detach", "--network", "none", *more, *told, IMAGE, "-c", script)
        end = await idle.run("echo anew", runner={"resume": resume})
    assert idle.plane.messages("INFO") == (["from before"] if resume else ["anew"])
    assert end.state == ("FAILED" if resume else "SUCCESS")
    assert idle.containers() == []
