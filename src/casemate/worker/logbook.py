"""What one attempt writes: masked, filtered, cut to size, sent in batches; never more in memory than a batch or two."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from casemate.jobs import Level, LogLine, Metric
from casemate.masking import Mask

LONGEST: Final = 10_240
"""Characters in one entry; longer messages become several (spec/engine 3.3)."""

BATCH_LINES: Final = 200
BATCH_CHARACTERS: Final = 1 << 18
EVERY: Final = 0.1
"""Seconds between two batches of a job that writes little."""

Send = Callable[[tuple[LogLine, ...], tuple[Metric, ...]], Awaitable[None]]

_ORDER: Final = {level: rank for rank, level in enumerate(get_args(Level))}


class LogBook:
    """The log entries and metrics of one attempt that were not sent yet. `send` hands a batch to the control plane."""

    def __init__(self, send: Send, mask: Mask) -> None:
        self._send = send
        self._mask = mask
        self._least = 0
        self._lines: list[LogLine] = []
        self._metrics: list[Metric] = []
        self._characters = 0
        self._news = asyncio.Event()
        self._sending = asyncio.Lock()
        self._settled = False

    def keep_from(self, level: str | None) -> None:
        """Drop entries below this level from now on; an unknown level keeps all."""
        self._least = _ORDER.get(level.upper(), 0) if level else 0

    def write(self, level: Level, message: str, at: datetime | None = None, *, cut: bool = False) -> None:
        """Add one entry; one that was `cut` may end in the middle of a secret."""
        if _ORDER[level] < self._least:
            return
        covered = self._mask.cover(message.rstrip("\ufffd") if cut else message, cut=cut)
        for line in pieces(LogLine(at=at or datetime.now(UTC), level=level, message=covered)):
            self._lines.append(line)
            self._characters += len(line.message)
        self._news.set()

    def measure(self, metric: Metric) -> None:
        """Add one measurement; its name and tags are masked like log entries."""
        tags = {self._mask.cover(key): self._mask.cover(value) for key, value in metric.tags.items()}
        name = self._mask.cover(metric.name)
        self._metrics.append(Metric(name=name, kind=metric.kind, value=metric.value, tags=tags))
        self._news.set()

    async def pace(self) -> None:
        """Wait until there is room again: who writes faster than the control plane reads is slowed down here."""
        if len(self._lines) + len(self._metrics) >= BATCH_LINES or self._characters >= BATCH_CHARACTERS:
            await self.flush()

    async def flush(self) -> None:
        """Send what is there, in the order it was written."""
        async with self._sending:
            if self._settled:
                return
            lines, metrics = self.take()
            if lines or metrics:
                await self._send(lines, metrics)

    async def settle(self) -> None:
        """Let a batch that is on its way arrive; what is written from now on is for `take`."""
        async with self._sending:
            self._settled = True

    async def keep_flushing(self) -> None:
        """Send a batch now and then, until cancelled; a job that ends sooner sends all with its end."""
        while True:
            await self._news.wait()
            await asyncio.sleep(EVERY)
            await self.flush()

    def take(self) -> tuple[tuple[LogLine, ...], tuple[Metric, ...]]:
        """What is there, which is forgotten here."""
        taken = tuple(self._lines), tuple(self._metrics)
        self._lines, self._metrics, self._characters = [], [], 0
        self._news.clear()
        return taken


def pieces(line: LogLine) -> Iterator[LogLine]:
    """The entry as entries of a length that is allowed, a millisecond apart so that they stay in order."""
    yield LogLine(at=line.at, level=line.level, message=line.message[:LONGEST], thread=line.thread)
    for number, start in enumerate(range(LONGEST, len(line.message), LONGEST), 1):
        at = line.at + timedelta(milliseconds=number)
        yield LogLine(at=at, level=line.level, message=line.message[start : start + LONGEST], thread=line.thread)
