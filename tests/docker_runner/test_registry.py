"""Images from a registry: who is let in, what is tried again, and where a password is never found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.docker_runner.conftest import Dock
from tests.images import programs
from tests.registry import Registry, registry_running

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PASSWORD = "correct-horse-battery"
LOGIN = {"username": "ada", "password": PASSWORD}


@pytest.fixture(scope="module")
def one_registry() -> Iterator[Registry]:
    with registry_running(programs(), "ada", PASSWORD) as running:
        yield running


@pytest.fixture
def registry(one_registry: Registry, idle: Dock) -> Iterator[Registry]:
    one_registry.failures = one_registry.asked = 0
    yield one_registry
    if idle.engine.call("images", "--quiet", one_registry.image):
        idle.engine.call("rmi", "--force", one_registry.image)


async def test_w12_credentials_let_in_and_are_found_nowhere(dock: Dock, registry: Registry):
    end = await dock.run(
        "env; grep -rs correct-horse /casemate /etc /tmp || ls -a",
        runner={"credentials": {**LOGIN, "password": "{{ secret('PULL') }}"}},
        containerImage=registry.image,
        secrets={"PULL": PASSWORD},
        outputFiles=["**"],
    )
    assert end.state == "SUCCESS", dock.plane.messages()
    said = "\n".join(dock.plane.messages())
    assert PASSWORD not in said
    assert "config.json" not in said
    assert end.outputs is not None
    assert end.outputs["outputFiles"] == {}
    assert PASSWORD not in repr(end)


async def test_a_password_in_the_flow_is_masked_too(dock: Dock, registry: Registry):
    end = await dock.run(f"echo {PASSWORD}", runner={"credentials": LOGIN}, containerImage=registry.image)
    assert end.state == "SUCCESS"
    assert PASSWORD not in "\n".join(dock.plane.messages())


async def test_a_wrong_password_is_told_at_once(dock: Dock, registry: Registry):
    wrong = {"username": "ada", "password": "guessed"}
    end = await dock.run("true", runner={"credentials": wrong}, containerImage=registry.image)
    assert end.state == "FAILED"
    (words,) = dock.plane.messages("ERROR")
    assert words.startswith(f"Unable to pull the image '{registry.image}'")
    assert dock.plane.messages("WARN") == []


async def test_the_auths_of_a_clients_configuration_let_in(dock: Dock, registry: Registry):
    config = {"auths": {f"127.0.0.1:{registry.port}": LOGIN}}
    assert (await dock.run("true", runner={"config": config}, containerImage=registry.image)).state == "SUCCESS"


async def test_a_registry_that_is_out_of_order_is_tried_again(dock: Dock, registry: Registry):
    registry.failures = 2
    end = await dock.run("true", runner={"credentials": LOGIN}, containerImage=registry.image)
    assert end.state == "SUCCESS", dock.plane.messages()
    assert dock.plane.messages("WARN")


async def test_an_image_that_is_there_is_fetched_again_only_where_that_is_asked_for(dock: Dock, registry: Registry):
    async def asked(policy: str) -> int:
        before = registry.asked
        runner = {"credentials": LOGIN, "pullPolicy": policy}
        assert (await dock.run("true", runner=runner, containerImage=registry.image)).state == "SUCCESS"
        return registry.asked - before

    assert await asked("IF_NOT_PRESENT") > 0
    assert await asked("IF_NOT_PRESENT") == 0
    assert await asked("NEVER") == 0
    assert await asked("ALWAYS") > 0


async def test_an_image_that_is_never_to_be_fetched_has_to_be_there(dock: Dock, registry: Registry):
    runner = {"credentials": LOGIN, "pullPolicy": "NEVER"}
    end = await dock.run("true", runner=runner, containerImage=registry.image)
    assert end.state == "FAILED"
    assert "`pullPolicy: NEVER` forbids to fetch it" in dock.plane.messages("ERROR")[0]
    assert registry.asked == 0


async def test_a_kill_ends_a_pull_that_is_tried_again_and_again(idle: Dock, registry: Registry):
    registry.failures = 1000
    async with idle.working(delays=(30.0, 30.0)):
        job = await idle.give("true", runner={"credentials": LOGIN}, containerImage=registry.image)
        await idle.plane.until(lambda: any("trying again" in text for text in idle.plane.messages("WARN")))
        await idle.plane.kill(job)
        assert (await idle.plane.end_of(job)).state == "KILLED"
    assert idle.plane.messages("WARN")[-1] == "Execution was killed during image pull."
