"""Watching executions. Nobody polls: a change is told to whoever watches, and a slow watcher holds up nobody."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import Event
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from casemate.executions import Execution
from casemate.orchestrator.items import Key
from casemate.store import Database, LogEntry, Wanted, logs

_KEPT = 64
"""How many changes wait for a slow watcher; older ones are dropped, the newest never is."""


_LOGS_AT_ONCE = 500

_QUICK = 0.01
"""Seconds that may be spent on a change without a rest."""

_REST = 3
"""A watcher rests so many times as long as a change has taken it: a large execution changes faster than it is shown."""


class Watcher:
    """One who watches one execution."""

    def __init__(self) -> None:
        self._changes: deque[Execution] = deque(maxlen=_KEPT)
        self._news = Event()
        self._last = Event()
        self.gone = False

    def tell(self, execution: Execution | None = None) -> None:
        """There is news: the execution changed, or it has new log entries."""
        if execution is not None:
            self._add(execution)
        self._news.set()

    def _add(self, execution: Execution) -> None:
        before = self._changes[-1] if self._changes else None
        if before is not None and (before.id, before.state) == (execution.id, execution.state):
            self._changes.pop()
        self._changes.append(execution)
        if execution.over:
            self._last.set()

    def tell_gone(self) -> None:
        """It was deleted."""
        self.gone = True
        self._news.set()
        self._last.set()

    async def rest(self, seconds: float) -> None:
        """Wait a while, no longer than until the last change."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._last.wait()

    async def news(self) -> tuple[Execution, ...]:
        """Wait for news; the changes since last time, if any."""
        await self._news.wait()
        self._news.clear()
        changes = tuple(self._changes)
        self._changes.clear()
        return changes


class Watchers:
    """Everyone who watches."""

    def __init__(self) -> None:
        self._watchers: defaultdict[Key, set[Watcher]] = defaultdict(set)

    @contextmanager
    def watching(self, key: Key, watcher: Watcher | None = None) -> Iterator[Watcher]:
        """Watch an execution for a while; a watcher that is given watches it besides others."""
        watcher = watcher or Watcher()
        self._watchers[key].add(watcher)
        try:
            yield watcher
        finally:
            self._watchers[key].discard(watcher)
            if not self._watchers[key]:
                del self._watchers[key]

    def of(self, key: Key) -> tuple[Watcher, ...]:
        """Who watches this execution."""
        return tuple(self._watchers.get(key, ()))


async def changes_of(
    watchers: Watchers, key: Key, get: Callable[[], Awaitable[Execution]]
) -> AsyncGenerator[Execution]:
    """The execution as it is now, then after every change, until it is over or deleted."""
    loop = asyncio.get_running_loop()
    with watchers.watching(key) as watcher:
        seen = await get()
        news: tuple[Execution, ...] = (seen,)
        while True:
            for seen in news:
                begun = loop.time()
                yield seen
                spent = loop.time() - begun
                if spent > _QUICK and not seen.over:
                    await watcher.rest(spent * _REST)
            if seen.over or watcher.gone:
                return
            news = tuple(change for change in await watcher.news() if change.version > seen.version)


async def entries_of(
    db: Database, watchers: Watchers, key: Key, get: Callable[[], Awaitable[Execution]], wanted: Wanted
) -> AsyncIterator[LogEntry]:
    """The log entries of an execution so far, then new ones, until it is over or deleted."""
    wanted = replace(wanted, limit=_LOGS_AT_ONCE)
    with watchers.watching(key) as watcher:
        while not watcher.gone:
            over = (await get()).over
            entries = await db.read(logs.of_execution, *key, wanted)
            for entry in entries:
                yield entry
            if entries:
                wanted = replace(wanted, after=entries[-1].seq)
            if len(entries) == _LOGS_AT_ONCE:
                continue
            if over:
                return
            await watcher.news()
