"""One engine for all tests with containers, and workers whose tasks run in it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from tests.docker import Engine, NoEngine, engine_running
from tests.worker.plane import Plane

from casemate.catalog import Manifest
from casemate.containers import Engines, Rules
from casemate.core import catalog
from casemate.identifiers import WorkerId
from casemate.jobs import Finished, Place
from casemate.sandbox import Egress, Limits, Policy, Rights, Sandboxes
from casemate.worker import Docker, Worker

IMAGE = "casemate-programs:1"
SHELL = "io.kestra.plugin.scripts.shell.Commands"
PYTHON = "io.kestra.plugin.scripts.python.Script"
RUNNER = "io.kestra.plugin.scripts.runner.docker.Docker"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    try:
        with engine_running() as running:
            running.load_programs(IMAGE)
            yield running
    except NoEngine as why:
        pytest.skip(f"NOT TESTED: the Docker task runner on a real engine. {why}")


@dataclass
class Dock:
    """A worker over an engine, with what its tasks may ask for; `run` carries one out."""

    engine: Engine
    folder: Path
    plane: Plane = field(default_factory=Plane)
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=lambda: Limits(memory=256 << 20))
    egress: Egress = field(default_factory=lambda: Egress(open=True))
    host: str = ""

    def policy_for(self, _manifest: Manifest, _place: Place) -> Policy:
        return Policy(rights=Rights(threads=True, processes=True), egress=self.egress, limits=self.limits)

    @contextlib.asynccontextmanager
    async def working(self, delays: tuple[float, ...] = (0.01, 0.01)) -> AsyncIterator[None]:
        """A worker for as long as the context lasts; `delays` are those between the tries of a pull."""
        async with Sandboxes.open(self.folder, slots=2) as sandboxes:
            engines = Engines(sandboxes.folder, self.host or f"unix://{self.engine.socket}", delays=delays)
            worker = Worker(
                await self.plane.dispatch.link(WorkerId("worker-1")),
                sandboxes,
                catalog(),
                folder=sandboxes.folder,
                slots=2,
                policy_for=self.policy_for,
                beat=timedelta(seconds=0.2),
                docker=Docker(engines=engines, rules_for=lambda _manifest, _place: self.rules),
            )
            async with anyio.create_task_group() as group:
                group.start_soon(worker.run)
                yield
                group.cancel_scope.cancel()

    async def give(self, *commands: str, runner: dict[str, object] | None = None, **more: object) -> str:
        """Offer a script of these commands, in a container."""
        canonical = str(more.pop("canonical", SHELL))
        wanted = {name: more.pop(name) for name in ("timeout", "secrets", "variables") if name in more}
        given = {"containerImage": IMAGE, "taskRunner": {"type": RUNNER, **(runner or {})}, **more}
        if commands:
            given["commands"] = list(commands)
        return await self.plane.give(canonical, properties=given, **wanted)

    async def run(self, *commands: str, runner: dict[str, object] | None = None, **more: object) -> Finished:
        """How such a script ended."""
        return await self.plane.end_of(await self.give(*commands, runner=runner, **more))

    def containers(self, *which: str) -> list[str]:
        """Ids of the containers that the engine has."""
        return self.engine.call("ps", "--all", "--quiet", "--no-trunc", *which).split()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that the engine alone knows, and tells nobody."""
        with anyio.fail_after(30):
            while not await anyio.to_thread.run_sync(true):  # noqa: ASYNC110 - there is no event to wait for
                await anyio.sleep(0.05)


@pytest.fixture
def idle(engine: Engine, tmp_path: Path) -> Iterator[Dock]:
    """A worker that does not work yet. Nothing of it is left in the engine."""
    dock = Dock(engine, tmp_path / "work")
    yield dock
    left = dock.containers()
    if left:
        engine.call("rm", "--force", "--volumes", *left)


@pytest.fixture
async def dock(idle: Dock) -> AsyncIterator[Dock]:
    """A worker at work, that leaves nothing in its engine."""
    async with idle.working():
        yield idle
    assert idle.containers() == []
    assert idle.engine.call("volume", "ls", "--quiet").split() == []
