"""Zygotes: one for each file tree to show and each set of bodies. What is different needs a new one, the old one ends.

A file tree changes with the policy, with the machine's name servers, and with what lies at forbidden places, also when
that is what lay there before, but was away meanwhile. A zygote that nobody asks for any more stays until its last
sandbox has ended and a newer one is started.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from casemate.sandbox.orders import Bodies, Template
from casemate.sandbox.zygotes import Zygote

_SECONDS = 60.0
"""How long a zygote may be asked for nothing before a newer one takes its memory."""


class Generations:
    """The zygotes of one worker. They are started by the thread of the event loop, and die with it."""

    def __init__(self) -> None:
        self._zygotes: dict[tuple[Template, Bodies], Zygote] = {}
        self._replaced: list[Zygote] = []
        """Those of which nobody asks for another sandbox."""
        self._starting = asyncio.Lock()

    async def of(self, template: Template, bodies: Bodies) -> Zygote:
        """The one that shows and has this; a new one if there is none, or none of use. Raises as `Zygote.start`."""
        zygote = self._zygotes.get((template, bodies))
        if zygote is None or not _is_good(zygote):
            async with self._starting:
                zygote = await self._started(template, bodies)
        zygote.asked = asyncio.get_running_loop().time()
        return zygote

    async def close(self) -> None:
        """End all of them and all their sandboxes."""
        for zygote in (*self._replaced, *self._zygotes.values()):
            await zygote.close()

    async def _started(self, template: Template, bodies: Bodies) -> Zygote:
        zygote = self._zygotes.get((template, bodies))
        if zygote is None or not _is_good(zygote):
            if zygote is not None:
                self._replaced.append(self._zygotes.pop((template, bodies)))
            await self._end_old()
            zygote = self._zygotes[template, bodies] = await Zygote.start(replace(template, bodies=bodies))
        return zygote

    async def _end_old(self) -> None:
        since = asyncio.get_running_loop().time() - _SECONDS
        for shown, zygote in tuple(self._zygotes.items()):
            if zygote.lost or (zygote.idle and zygote.asked < since):
                del self._zygotes[shown]
                await zygote.close()
        for zygote in tuple(self._replaced):
            if zygote.lost or zygote.idle:
                self._replaced.remove(zygote)
                await zygote.close()


def _is_good(zygote: Zygote) -> bool:
    """Whether what it shows is still what it was built to show."""
    return not (zygote.lost or zygote.uncovered)
