"""Waiting for descriptors on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def readable(descriptor: int) -> None:
    """Until there is something to read, or the end."""
    loop = asyncio.get_running_loop()
    await _signalled(lambda wake: loop.add_reader(descriptor, wake), lambda: loop.remove_reader(descriptor))


async def writable(descriptor: int) -> None:
    """Until there is room to write, or nobody to read."""
    loop = asyncio.get_running_loop()
    await _signalled(lambda wake: loop.add_writer(descriptor, wake), lambda: loop.remove_writer(descriptor))


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
