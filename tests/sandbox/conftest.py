"""One set of sandboxes for each module: opening them tries the walls, which takes a moment."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from casemate.sandbox import Body, Command, End, Event, Launch, Policy, Rights, Running, Sandboxes, folders

MAY_START_ANYTHING = Policy(rights=Rights(threads=True, processes=True))


@dataclass
class House:
    """Open sandboxes and short ways to use them."""

    sandboxes: Sandboxes
    folder: Path
    names: itertools.count = field(default_factory=itertools.count)

    async def launch(self, what: Body | Command, policy: Policy = MAY_START_ANYTHING) -> Running:
        name = f"launch-{next(self.names)}"
        work = folders.make(self.folder, name)
        return await self.sandboxes.launch(Launch(name=name, policy=policy, work=work, what=what))

    async def shell(self, script: str, policy: Policy = MAY_START_ANYTHING, **env: str) -> tuple[list[Event], End]:
        return await ended(await self.launch(Command(argv=("sh", "-c", script), env=env), policy))

    async def body(self, name: str, **properties: object) -> tuple[list[Event], End]:
        body = Body(module=f"casemate.inside.{name}", job={"properties": properties})
        return await ended(await self.launch(body, Policy()))


async def ended(running: Running) -> tuple[list[Event], End]:
    events = [event async for event in running.events()]
    return events, await running.end()


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("sandboxes")
    async with Sandboxes.open(folder, slots=4) as sandboxes:
        yield House(sandboxes, folder)
