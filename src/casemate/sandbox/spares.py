"""Sandboxes that wait for their one job with every wall up, so that the next launch of their kind need not wait.

A spare is what a launch would make: ordered from the same zygote by the same order, but for an empty launch folder of
its own. It has heard of no task, is given away once, and never comes back. How many of a kind wait follows from how
many were missed: see docs/decisions/0015.
Launch folders are put in place of its own by renaming: what is mounted inside is the folder, not its name.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from casemate.sandbox import folders
from casemate.sandbox.cgroups import Cgroups
from casemate.sandbox.errors import LaunchFailed, ZygoteLost
from casemate.sandbox.launching import abandon, enclose
from casemate.sandbox.orders import Order
from casemate.sandbox.running import Box
from casemate.sandbox.templates import privileged, user_of
from casemate.sandbox.zygotes import Zygote

_SECONDS = 10.0
"""How long a spare waits before it is given up; the worker is idle then, and its memory is the machine's again."""
_MOST = 8
"""Spares that wait at a time, of all kinds together."""
_PAUSE = 0.004
"""Seconds after a launch in which none is made: most short tasks have given their answer by then."""
_MOMENT = 0.0003
"""Seconds after an end: whoever waits for it hears of it first."""
_PREFIX = ".spare-"

_Kind: TypeAlias = tuple[Zygote, int]
"""A zygote, and which of its orders without what belongs to one sandbox only."""


@dataclass(frozen=True, slots=True, eq=False)
class Spare:
    """One that waits: the slot it takes, its launch folder, its walls."""

    slot: int
    folder: Path
    box: Box
    patience: asyncio.TimerHandle

    @property
    def lives(self) -> bool:
        """False if it was killed while it waited, as the first to go when memory runs out."""
        return not self.box.ended.done() and not self.box.zygote.lost

    def move_in(self, work: Path) -> None:
        """Put its launch folder in place of `work`, with all that is in there. OSError: it cannot be."""
        try:
            os.rename(self.folder, work)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            for name in os.listdir(work):
                self._take_in(work, name)
            os.rename(self.folder, work)

    def _take_in(self, work: Path, name: str) -> None:
        os.rename(work / name, self.folder / name)
        if privileged():
            owner = user_of(self.slot)
            os.chown(self.folder / name, owner, owner, follow_symlinks=False)


@dataclass(slots=True)
class _Shelf:
    """The spares of one kind, the one that came last at the end, and how many there are to be."""

    zygote: Zygote
    order: Order
    depth: int = 0
    waiting: list[Spare] = field(default_factory=list)


class Spares:
    """They take slots of `free` only while most are free, and give way when these are wanted."""

    def __init__(self, folder: Path, free: asyncio.LifoQueue[int], numbers: Iterator[int], groups: Cgroups) -> None:
        self._folder = folder
        self._free = free
        self._numbers = numbers
        self._groups = groups
        self._plenty = free.qsize() // 2
        self._shelves: dict[_Kind, _Shelf] = {}
        self._making: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._not_before = 0.0
        self._closed = False
        for left in folder.glob(f"{_PREFIX}*"):
            folders.remove(left)

    def take(self, zygote: Zygote, order: Order) -> Spare | None:
        """A spare for such an order, if there is one. It is the caller's from now on, and nobody else's.

        `order` is the same object whenever the same kind of sandbox is meant.
        """
        shelf = self._shelves.setdefault((zygote, id(order)), _Shelf(zygote, order))
        while shelf.waiting:
            spare = self._taken(shelf, shelf.waiting[-1])
            if spare.lives:
                return spare
            self._end(spare)
        shelf.depth = min(shelf.depth + 1, _MOST)
        return None

    def restock(self, *, at_once: bool) -> None:
        """Have some made for the next launches: at once, or when the launch of now has had its start."""
        now = asyncio.get_running_loop().time()
        self._not_before = now + (_MOMENT if at_once else _PAUSE)
        if at_once or self._later is None:
            self._begin_when_quiet()

    def _begin_when_quiet(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        loop = asyncio.get_running_loop()
        if self._closed or (self._making is not None and not self._making.done()) or not self._may_make():
            return
        if loop.time() < self._not_before:
            self._later = loop.call_at(self._not_before, self._begin_when_quiet)
        else:
            self._making = asyncio.create_task(self._make(), name="spare sandboxes")

    def _may_make(self) -> bool:
        """Whether it is worth while to ask which: not so when all slots are busy, which is when time is dear."""
        shelves = self._shelves.values()
        return (
            not self._free.empty()
            and any(_lacking(shelf) > 0 for shelf in shelves)
            and (self._has_room() or any(len(shelf.waiting) > 1 for shelf in shelves))
        )

    def give_way(self) -> None:
        """End the one that has waited longest, because a slot is needed."""
        shelves = [shelf for shelf in self._shelves.values() if shelf.waiting]
        if shelves:
            shelf = min(shelves, key=lambda shelf: shelf.waiting[0].patience.when())
            self._end(self._taken(shelf, shelf.waiting[0]))

    async def close(self) -> None:
        """End all of them; no more are made."""
        self._closed = True
        if self._later is not None:
            self._later.cancel()
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait({self._making})
        for shelf in self._shelves.values():
            while shelf.waiting:
                self._end(self._taken(shelf, shelf.waiting[-1]))
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _taken(self, shelf: _Shelf, spare: Spare) -> Spare:
        shelf.waiting.remove(spare)
        spare.patience.cancel()
        return spare

    def _end(self, spare: Spare) -> None:
        self._soon(self._discard(spare.box, spare.folder, spare.slot))

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="end of a spare sandbox")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _discard(self, box: Box | None, folder: Path, slot: int) -> None:
        try:
            if box is not None:
                await abandon(box)
            await asyncio.to_thread(folders.remove, folder)
        finally:
            self._free.put_nowait(slot)

    async def _make(self) -> None:
        """One after the other, for as long as there are too few and nothing more urgent is to be done."""
        loop = asyncio.get_running_loop()
        while (shelf := self._short()) is not None:
            if loop.time() < self._not_before:
                self._later = loop.call_at(self._not_before, self._begin_when_quiet)
                return
            try:
                spare = await self._made(shelf)
            except (LaunchFailed, ZygoteLost, OSError):
                shelf.depth = len(shelf.waiting)  # the next launch meets the same, and says so
            else:
                shelf.waiting.append(spare)

    def _short(self) -> _Shelf | None:
        """The kind of which there is none, or that lacks most, as far as there may be more of it."""
        lacking = [shelf for shelf in self._shelves.values() if _lacking(shelf) > 0]
        if self._closed or not lacking or self._free.empty():
            return None
        shelf = max(lacking, key=lambda each: (not each.waiting, _lacking(each)))
        return shelf if self._has_room() or self._makes_room_for(shelf) else None

    def _has_room(self) -> bool:
        return self._free.qsize() > self._plenty and sum(len(each.waiting) for each in self._shelves.values()) < _MOST

    def _makes_room_for(self, shelf: _Shelf) -> bool:
        """The first of a kind is worth more than the second of another, which goes."""
        fullest = max(self._shelves.values(), key=lambda each: len(each.waiting))
        if shelf.waiting or len(fullest.waiting) < 2:
            return False
        fullest.depth = len(fullest.waiting) - 1
        self._end(self._taken(fullest, fullest.waiting[0]))
        return True

    async def _made(self, shelf: _Shelf) -> Spare:
        slot = self._free.get_nowait()
        folder, box = self._folder / f"{_PREFIX}{next(self._numbers)}", None
        try:
            folder.mkdir(mode=0o700)
            if privileged():
                os.chown(folder, user_of(slot), user_of(slot))
            own = replace(shelf.order, id=next(self._numbers), work=folder.name, uid=user_of(slot))
            box = await enclose(shelf.zygote, own, self._groups.of(slot))
        except BaseException:
            self._soon(self._discard(box, folder, slot))
            raise
        patience = asyncio.get_running_loop().call_later(_SECONDS, self._give_up, shelf, slot)
        return Spare(slot, folder, box, patience)

    def _give_up(self, shelf: _Shelf, slot: int) -> None:
        """Nobody came for the one in this slot: there were too many."""
        self._end(self._taken(shelf, next(spare for spare in shelf.waiting if spare.slot == slot)))
        shelf.depth = len(shelf.waiting)
        if not shelf.depth:
            self._shelves.pop((shelf.zygote, id(shelf.order)), None)


def _lacking(shelf: _Shelf) -> int:
    return shelf.depth - len(shelf.waiting)
