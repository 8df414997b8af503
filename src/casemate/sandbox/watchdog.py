"""Memory of whole sandboxes where no control group counts it: the sum over their processes, looked at twice a second.

A stop-gap. Each process has a limit of its own that the kernel keeps; several of them together can take more before it
is noticed, and then the largest sandbox is ended, not the process that asked last. Files in memory that nobody has
mapped are not seen, so those that have no size of their own (memfd) cannot be made where this is all there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from casemate.sandbox.running import Running

_SECONDS = 0.5
_PAGE = os.sysconf("SC_PAGESIZE")
_OWN_SHARE = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


async def keep_memory(running: Iterable[Running]) -> None:
    """End each of the sandboxes that live, now and later, when its processes take more than it may. Until cancelled."""
    while True:
        await asyncio.sleep(_SECONDS)
        watched = [each for each in running if each.watched and each.limits.memory is not None]
        if watched:
            await _end_too_large(watched)


async def _end_too_large(watched: Iterable[Running]) -> None:
    """Apart from the loop, whose names would hold the last one until there is another."""
    for each in await asyncio.to_thread(_too_large, watched):
        await each.stop_for("memory")


def _too_large(watched: Iterable[Running]) -> list[Running]:
    return [each for each in watched if each.limits.memory is not None and _exceeds(each.watched, each.limits.memory)]


def _exceeds(first: int, limit: int) -> bool:
    """Whether process 1 of a sandbox and all below it take more. Exact figures take long: only if it may be so."""
    processes = tuple(family(first))
    return sum(map(resident, processes)) > limit and sum(map(share, processes)) > limit


def family(process: int) -> Iterator[int]:
    """A process and all below it; orphans of a pid namespace are below its process 1."""
    yield process
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from family(int(child))


def resident(process: int) -> int:
    """Bytes in memory, with all that it shares with others, see proc_pid_statm(5); 0 if it has ended."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    return 0


def share(process: int) -> int:
    """Its own bytes and its part of what it shares, programs left out, see smaps_rollup in proc_pid_smaps(5)."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(_OWN_SHARE))
    return 0
