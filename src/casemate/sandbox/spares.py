"""Sandboxes that wait for their one job with every wall up, so that the next launch of their kind need not wait.

A spare is what a launch would make: ordered from the same zygote by the same order, but for an empty launch folder of
its own. It is made when the one before it has ended, while that one's end is written down and the next job is claimed;
it has heard of no task, is given away once, and never comes back.
Launch folders are put in place of its own by renaming: what is mounted inside is the folder, not its name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from casemate.sandbox import folders
from casemate.sandbox.errors import LaunchFailed, ZygoteLost
from casemate.sandbox.launching import abandon, enclose
from casemate.sandbox.orders import Order, encoded
from casemate.sandbox.running import Box
from casemate.sandbox.templates import user_of
from casemate.sandbox.zygotes import Zygote

_SECONDS = 10.0
"""How long a spare waits before it is given up; the worker is idle then, and its memory is the machine's again."""
_PREFIX = ".spare-"

_Kind: TypeAlias = tuple[int, bytes]
"""A zygote, and an order without what belongs to one sandbox only."""


@dataclass(frozen=True, slots=True)
class Spare:
    """One that waits: the slot it takes, its launch folder, its walls."""

    slot: int
    folder: Path
    box: Box
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    """By a launch, or for its slot."""

    @property
    def lives(self) -> bool:
        """False if it was killed while it waited, as the first to go when memory runs out."""
        return not self.box.ended.done() and not self.box.zygote.lost

    def move_in(self, work: Path) -> None:
        """Put its launch folder in place of `work`, with all that is in there. OSError: it cannot be."""
        for name in os.listdir(work):
            os.rename(work / name, self.folder / name)
        os.rename(self.folder, work)


class Spares:
    """At most one spare of a kind. They take slots of `free` only while most are free, and give them back at once."""

    def __init__(self, folder: Path, free: asyncio.LifoQueue[int], numbers: Iterator[int]) -> None:
        self._folder = folder
        self._free = free
        self._numbers = numbers
        self._plenty = free.qsize() // 2
        self._waiting: dict[_Kind, Spare] = {}
        self._keeping: dict[_Kind, asyncio.Task[None]] = {}
        self._closed = False
        for left in folder.glob(f"{_PREFIX}*"):
            folders.remove(left)

    def take(self, zygote: Zygote, order: Order) -> Spare | None:
        """The spare for such an order, if there is one. It is the caller's from now on, and nobody else's."""
        spare = self._waiting.get(_kind(zygote, order))
        if spare is None:
            return None
        spare.wanted.set()
        if not spare.lives:
            return None
        del self._waiting[_kind(zygote, order)], self._keeping[_kind(zygote, order)]
        return spare

    def restock(self, zygote: Zygote, order: Order) -> None:
        """Have one made for the next order of this kind, unless there is one or too few slots are left for launches."""
        kind = _kind(zygote, order)
        if not self._closed and kind not in self._keeping and self._free.qsize() > self._plenty:
            self._keeping[kind] = asyncio.create_task(self._keep(kind, zygote, order), name="spare sandbox")

    def give_way(self) -> None:
        """End those that wait, because a slot is needed."""
        for spare in self._waiting.values():
            spare.wanted.set()

    async def close(self) -> None:
        """End all of them; no more are made."""
        self._closed = True
        keeping = tuple(self._keeping.values())
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)

    async def _keep(self, kind: _Kind, zygote: Zygote, order: Order) -> None:
        """One spare from its making until somebody else has it or nobody shall."""
        try:
            async with AsyncExitStack() as undo:
                self._waiting[kind] = spare = await self._made(zygote, order, undo)
                try:
                    await self._wait(spare)
                finally:
                    if self._waiting.get(kind) is spare:
                        del self._waiting[kind]
                    else:
                        undo.pop_all()  # it was taken
        except (LaunchFailed, ZygoteLost, OSError):
            return  # the next launch meets the same, and says so
        finally:
            if self._keeping.get(kind) is asyncio.current_task():
                del self._keeping[kind]

    async def _made(self, zygote: Zygote, order: Order, undo: AsyncExitStack) -> Spare:
        if self._free.empty():
            raise LaunchFailed("There is no slot to spare.")
        slot = self._free.get_nowait()
        undo.callback(self._free.put_nowait, slot)
        folder = folders.make(self._folder, f"{_PREFIX}{next(self._numbers)}")
        undo.push_async_callback(asyncio.to_thread, folders.remove, folder)
        box = await enclose(zygote, replace(order, id=next(self._numbers), work=folder.name, uid=user_of(slot)))
        undo.push_async_callback(abandon, box)
        return Spare(slot, folder, box)

    async def _wait(self, spare: Spare) -> None:
        """Until it is wanted, for a launch or for its slot."""
        if not self._free.empty():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS):
                    await spare.wanted.wait()


def _kind(zygote: Zygote, order: Order) -> _Kind:
    return id(zygote), encoded(replace(order, id=0, work="", uid=0))
