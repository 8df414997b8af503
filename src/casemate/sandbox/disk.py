"""Launch folders have no quota on the disk they share: before it is full, the sandbox that takes most of it is ended.

This protects the machine, and with it the worker, its database and the tasks of others. It does not divide the disk
fairly.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from casemate.sandbox import folders
from casemate.sandbox.running import Running
from casemate.sandbox.shares import exceeded

log = logging.getLogger(__name__)

_SECONDS = 0.25
"""Between two looks."""
_SECONDS_TO_LOOK = 0.5
"""The same at what single sandboxes take."""
_REST = 20
"""For how many times as long as a look at one folder took, nobody looks at it again."""
_SECONDS_TO_RECOVER = 2.0
"""For a folder to be removed, before the next sandbox is ended."""


@dataclass(frozen=True, slots=True)
class Room:
    """Room on a disk: bytes, and files that may be made; 0 files where a file system has no such limit."""

    size: int
    files: int

    def is_below(self, least: Room) -> bool:
        """Whether one of the two is short."""
        return self.size < least.size or self.files < least.files


_ENOUGH = Room(size=2 << 30, files=50_000)


def left(folder: Path) -> Room:
    """What is left on the disk of a folder."""
    disk = os.statvfs(folder)
    return Room(size=disk.f_bavail * disk.f_frsize, files=disk.f_favail)


def reserve(before: Room) -> Room:
    """What a sandbox has to leave: enough for all others, or half of what was there before it if that is less."""
    return Room(size=min(_ENOUGH.size, before.size // 2), files=min(_ENOUGH.files, before.files // 2))


async def keep_room(folder: Path, reserves: Mapping[Running, Room]) -> None:
    """Watch the disk of the launch folders until cancelled. `reserves` of the sandboxes that live, now and later."""
    while True:
        await asyncio.sleep(_SECONDS)
        try:
            if reserves and await _ended_one(folder, reserves):
                await asyncio.sleep(_SECONDS_TO_RECOVER)
        except OSError:
            log.exception("The disk of the launch folders cannot be watched: %s", folder)


async def keep_shares(running: Iterable[Running]) -> None:
    """End each of the sandboxes that live, now and later, when it takes more than its limits let it. Until cancelled.

    Whoever makes many files is not to keep us busy with counting them: the longer a look took, the later is the next.
    """
    rests: WeakKeyDictionary[Running, float] = WeakKeyDictionary()
    while True:
        await asyncio.sleep(_SECONDS_TO_LOOK)
        await _look_at_each(tuple(running), rests)


async def _look_at_each(running: tuple[Running, ...], rests: MutableMapping[Running, float]) -> None:
    """Apart from the loop, whose names would hold the last one until there is another."""
    for each in running:
        if rests.get(each, 0.0) <= time.monotonic():
            rests[each] = await _looked_at(each)


async def _looked_at(sandbox: Running) -> float:
    """End it if it takes too much; when to look again."""
    began = time.monotonic()
    try:
        if limit := await exceeded(sandbox.work, sandbox.limits):
            await sandbox.stop_for(limit)
    except OSError:
        log.exception("What a sandbox takes of the disk cannot be seen: %s", sandbox.work)
    now = time.monotonic()
    return now + _REST * (now - began)


async def _ended_one(folder: Path, reserves: Mapping[Running, Room]) -> bool:
    now = await asyncio.to_thread(left, folder)
    endangering = [each for each, least in reserves.items() if now.is_below(least)]
    if not endangering:
        return False
    largest = await asyncio.to_thread(max, endangering, key=lambda each: folders.taken(each.work).size)
    await largest.stop_for("disk", "the disk of the worker is nearly full")
    return True
