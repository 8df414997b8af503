"""Containers of a worker that died: resumed by the next one over the same folder, or removed; never left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import structlog
from tests.docker_runner.conftest import IMAGE, Dock
from tests.images import programs

from casemate.containers import Engines

LABELLED = "casemate-labelled:1"

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
    left_behind(idle, home, "an earlier life", more=("--label", "casemate.io/left=false"))
    await engines.clear(resumable=True)
    assert len(idle.containers()) == 2
    await engines.close()


async def test_a_worker_that_has_had_no_container_asks_no_engine(tmp_path: Path):
    with structlog.testing.capture_logs() as told:
        await Engines(tmp_path, "ssh://nowhere").clear(resumable=True)
    assert told == []


async def test_an_engine_that_cannot_be_spoken_to_stops_no_worker(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    for host in ("ssh://nowhere", "tcp://127.0.0.1:2376"):
        engines = Engines(tmp_path, host)
        engines.home()
        with structlog.testing.capture_logs() as told:
            await engines.clear(resumable=True)
        assert [entry["event"] for entry in told] == ["containers.not_cleared"]


async def test_what_an_engine_would_not_remove_goes_later_in_the_same_life_on_whichever_engine(idle: Dock, tmp_path):
    engines = Engines(tmp_path, "unix:///nowhere/docker.sock")
    stuck = left_behind(idle, engines.home(), engines.life)
    engine = await engines._engine(f"unix://{idle.engine.socket}")
    await engines.clear(resumable=True)
    assert idle.containers() == [stuck]
    engine.stuck.add(stuck)
    await engines.clear(resumable=True)
    assert idle.containers() == []
    await engines.close()


async def test_labels_of_an_image_keep_no_container(idle: Dock, tmp_path: Path):
    """An image that says of itself what Casemate says of a container which is to be left."""
    packed = tmp_path / "image.tar"
    packed.write_bytes(programs())
    idle.engine.call("import", "--change", "LABEL casemate.io/left=true casemate.io/home=x", str(packed), LABELLED)
    async with idle.working():
        await idle.give("echo up; sleep 60", containerImage=LABELLED)
        await idle.plane.until(lambda: "up" in idle.plane.messages())
        (container,) = idle.containers()
        found = json.loads(idle.engine.call("inspect", "--format", "{{json .Config.Labels}}", container))
    assert found["casemate.io/left"] == "false"
    assert found["casemate.io/home"] != "x"
    idle.engine.call("rmi", "--force", LABELLED)


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
