"""Watching an execution with those that it started, and those that it was started by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from casemate.executions import Execution
from casemate.identifiers import ExecutionId
from casemate.orchestrator.errors import NotFound
from casemate.orchestrator.items import Key
from casemate.orchestrator.watching import Watcher, Watchers
from casemate.store import Database, Tx, executions

MOST = 500
"""How many executions one watcher sees."""

_SETTLING = 1.0
"""Seconds in which the end of the last one may start another: nobody tells of what a trigger is about to start."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one looks: also to what an execution was started by, and beyond the next ones."""

    upwards: bool = True
    whole: bool = False


async def kin_of(
    db: Database, watchers: Watchers, key: Key, get: Callable[[ExecutionId], Awaitable[Execution]], reach: Reach
) -> AsyncIterator[Execution]:
    """The execution, then its kin, each as it is now and after changes, until all are over or the execution is gone.

    Of several changes in a row the last one is seen. Raises `NotFound` if there is no such execution.
    """
    with ExitStack() as watched:
        watcher = watched.enter_context(watchers.watching(key))
        seen = {key[1]: await get(key[1])}
        yield seen[key[1]]
        settled = False
        while key[1] in seen:
            names = await db.read(_names, key, reach)
            for name in names:
                if name not in seen:
                    watched.enter_context(watchers.watching((key[0], name), watcher))
            changed = [one async for one in _changed(get, names, seen)]
            for one in changed:
                yield one
            over = all(one.over for one in seen.values())
            if over and settled and not changed:
                return
            settled = over
            await _news(watcher, _SETTLING if over else None)


async def _changed(
    get: Callable[[ExecutionId], Awaitable[Execution]], names: Iterable[ExecutionId], seen: dict[ExecutionId, Execution]
) -> AsyncIterator[Execution]:
    """Those that are not as they were seen, which they are from now on; what is gone is not seen any more."""
    for name in names:
        before = seen.get(name)
        if before is not None and before.over:
            continue
        try:
            now = await get(name)
        except NotFound:
            seen.pop(name, None)
            continue
        if before is None or now.version != before.version:
            seen[name] = now
            yield now


async def _news(watcher: Watcher, patience: float | None) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(watcher.news(), patience)


def _names(tx: Tx, key: Key, reach: Reach) -> tuple[ExecutionId, ...]:
    """The execution and its kin, by way of what started what."""
    found = dict.fromkeys([key[1]])
    for step in (executions.started_by, *([executions.starter_of] if reach.upwards else [])):
        next_ones: tuple[ExecutionId, ...] = (key[1],)
        while next_ones and len(found) < MOST:
            next_ones = tuple(name for name in step(tx, key[0], next_ones) if name not in found)
            found |= dict.fromkeys(next_ones[: MOST - len(found)])
            if not reach.whole:
                break
    return tuple(found)
