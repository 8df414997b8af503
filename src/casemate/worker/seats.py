"""Slots of a worker as jobs have them: one works with a slot, and waits without."""

from __future__ import annotations

import asyncio


class Seat:
    """A slot that is taken now, can be left while there is nothing to do, and taken again."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        """The slot was acquired by whoever makes this."""
        self._slots = slots
        self._taken = True

    async def take(self) -> None:
        """Wait for a slot, unless there is one."""
        if not self._taken:
            await self._slots.acquire()
            self._taken = True

    def leave(self) -> None:
        """Let someone else have it."""
        if self._taken:
            self._taken = False
            self._slots.release()
