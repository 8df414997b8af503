"""Sandboxes as a benchmark uses them: one launch timed, many in a row or at once, and the table of what they took."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from curve import Line

from casemate.sandbox import Body, Command, Egress, Launch, Policy, Rights, Sandboxes, folders

HERE = Egress(open=True, allow=("127.0.0.0/8",))
"""A way out that leads to a server of this benchmark."""
SCRIPT = Policy(rights=Rights(threads=True, processes=True), egress=HERE)
NOTHING = Body(module="casemate.inside.core_output_values", job={"properties": {"values": {}}})
"""A plugin task with next to nothing to do: it says one word."""
PACE = 0.02
"""Seconds between the begins of two tasks that are spaced."""
_UNMEASURED = 12


@dataclass(frozen=True)
class Spell:
    """Seconds from the wish for a task to its first word, and until no process of it is left."""

    answer: float
    gone: float


@dataclass
class Boxes:
    """Open sandboxes and their folder."""

    sandboxes: Sandboxes
    folder: Path
    names: Iterator[int] = field(default_factory=itertools.count)

    async def spell(self, what: Body | Command, policy: Policy) -> Spell:
        """One launch to its end, in a folder that it makes."""
        begun = time.perf_counter()
        work = self.folder / f"bench-{next(self.names)}"
        running = await self.sandboxes.launch(Launch(name=work.name, policy=policy, work=work, what=what))
        answer = None
        async for _ in running.events():
            answer = answer or time.perf_counter() - begun
        end = await running.end()
        gone = time.perf_counter() - begun
        if end.exit_code != 0:
            raise SystemExit(f"a measured task failed: {end}")
        folders.remove(work)
        return Spell(answer or gone, gone)

    async def in_turn(self, what: Body | Command, policy: Policy, count: int, pace: float = 0.0) -> list[Spell]:
        """One after the other, begun `pace` seconds after each other if they are faster than that."""
        for _ in range(_UNMEASURED):
            await self.spell(what, policy)
            await asyncio.sleep(pace)
        spells = []
        for _ in range(count):
            begun = time.perf_counter()
            spells.append(await self.spell(what, policy))
            await asyncio.sleep(max(0.0, pace - (time.perf_counter() - begun)))
        return spells

    async def rate(self, what: Body | Command, policy: Policy, count: int, at_once: int) -> float:
        """Launches a second, so many at once, each counted when nothing of it is left."""

        async def some(many: int) -> None:
            for _ in range(many):
                await self.spell(what, policy)

        await asyncio.gather(*(some(3) for _ in range(at_once)))
        begun = time.perf_counter()
        await asyncio.gather(*(some(count // at_once) for _ in range(at_once)))
        return count // at_once * at_once / (time.perf_counter() - begun)

    async def said(self, what: Command, policy: Policy, work: Path) -> str:
        """What a command prints, in a folder that may hold files."""
        running = await self.sandboxes.launch(Launch(name=work.name, policy=policy, work=work, what=what))
        lines = [getattr(event, "text", "") async for event in running.events()]
        end = await running.end()
        if end.exit_code != 0:
            raise SystemExit(f"a measured command failed: {end} {lines}")
        return "\n".join(lines)


@contextlib.asynccontextmanager
async def opened(slots: int = 16) -> AsyncIterator[Boxes]:
    """Sandboxes of our own in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="casemate-bench-") as name:
        folder = folders.prepare(Path(name))
        async with Sandboxes.open(folder, slots=slots) as sandboxes:
            yield Boxes(sandboxes, folder)


def milliseconds(name: str, seconds: Iterable[float]) -> Iterator[Line]:
    """The middle and the tail of some times, a line each."""
    ordered = sorted(seconds)
    for share in (50, 90, 99):
        yield f"{name} p{share}", ordered[min(len(ordered) - 1, len(ordered) * share // 100)] * 1000, "ms"
