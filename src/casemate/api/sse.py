"""Server-sent events: streams that end by themselves, say that they live while quiet, and never run ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeVar

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from casemate.api.limits import Seats

T = TypeVar("T")

ALIVE = b": alive\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One event with its JSON text. Kestra's clients tell the first and the last by the id: `start`, `progress`, `end`.

    Where several executions are followed each has its `end`, and `end-all` is the last event.
    """

    id: Literal["start", "progress", "end", "end-all"]
    text: str


def stream(events: AsyncGenerator[Event], heartbeat: timedelta, seats: Seats) -> StreamingResponse:
    """The answer that sends these events and closes after the last one. Raises `Declined` if no seat is left."""
    headers = {"x-accel-buffering": "no"}
    seat = ExitStack()
    seat.enter_context(seats.one())
    return _Stream(seat, _written(events, heartbeat), media_type="text/event-stream", headers=headers)


class _Stream(StreamingResponse):
    """Gives its seat back when it is over, however it ends."""

    def __init__(self, seat: ExitStack, content: AsyncIterator[bytes], **more: Any) -> None:
        super().__init__(content, **more)
        self._seat = seat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        with self._seat:
            await super().__call__(scope, receive, send)


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
                yield f"id: {event.id}\ndata: {event.text}\n\n".encode()
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.wait([coming])


async def _next(events: AsyncGenerator[Event]) -> Event | None:
    return await anext(events, None)
