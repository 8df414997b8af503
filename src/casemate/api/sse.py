"""Server-sent events: streams that end by themselves, say that they live while quiet, and never run ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeVar

from starlette.responses import StreamingResponse

from casemate.api.answers import text

T = TypeVar("T")

ALIVE = b": alive\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Kestra's clients tell the first and the last by the id: `start`, `progress`, `end`."""

    id: Literal["start", "progress", "end"]
    value: object


def stream(events: AsyncGenerator[Event], heartbeat: timedelta) -> StreamingResponse:
    """The answer that sends these events and closes after the last one."""
    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(_written(events, heartbeat), media_type="text/event-stream", headers=headers)


@asynccontextmanager
async def closing(source: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """A source that is closed at once when its reader leaves, not when the garbage collector comes."""
    try:
        yield source
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def _written(events: AsyncGenerator[Event], heartbeat: timedelta) -> AsyncIterator[bytes]:
    async with aclosing(events):
        coming: asyncio.Task[Event | None] | None = None
        try:
            while True:
                coming = coming or asyncio.create_task(_next(events))
                await asyncio.wait([coming], timeout=heartbeat.total_seconds())
                if not coming.done():
                    yield ALIVE
                    continue
                event, coming = coming.result(), None
                if event is None:
                    return
                yield f"id: {event.id}\ndata: {text(event.value)}\n\n".encode()
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.wait([coming])


async def _next(events: AsyncGenerator[Event]) -> Event | None:
    return await anext(events, None)
