"""Waiting for descriptors on the event loop, and reading from them in bounded pieces."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable

_CHUNK = 1 << 16


async def readable(descriptor: int) -> None:
    """Until there is something to read, or the end."""
    loop = asyncio.get_running_loop()
    await _signalled(lambda wake: loop.add_reader(descriptor, wake), lambda: loop.remove_reader(descriptor))


async def writable(descriptor: int) -> None:
    """Until there is room to write, or nobody to read."""
    loop = asyncio.get_running_loop()
    await _signalled(lambda wake: loop.add_writer(descriptor, wake), lambda: loop.remove_writer(descriptor))


async def chunks(descriptor: int) -> AsyncIterator[bytes]:
    """What comes out of a pipe or socket, until its end. The next piece is read when the last one has been taken."""
    while True:
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            await readable(descriptor)
            continue
        except ConnectionResetError:
            return
        if not chunk:
            return
        yield chunk


async def _signalled(watch: Callable[[Callable[[], None]], object], forget: Callable[[], object]) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not future.done():
            future.set_result(None)

    watch(wake)
    try:
        await future
    finally:
        forget()
