"""Waiting for descriptors on the event loop.

Sandboxes come and go by the hundred in a second, each with a few descriptors to hear: they are watched by one epoll(7)
of ours, which the loop watches. To have the loop watch each of them by itself takes several times as long.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import TypeAlias
from weakref import WeakKeyDictionary

Ready: TypeAlias = Callable[[], None]

_MOST_A_TURN = 64
"""What else the loop has to do must not wait for all of them."""


class Ears:
    """Descriptors to be read, of one event loop, which calls what belongs to each. To be had by `ears`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Ready] = {}
        loop.add_reader(self._epoll.fileno(), self._turn)

    def listen(self, descriptor: int, ready: Ready) -> None:
        """Call `ready` whenever there is something to read or the end is reached; instead of what was called before.

        It may be called once too often, so nothing that it does may block.
        """
        if descriptor not in self._ready:
            self._epoll.register(descriptor, select.EPOLLIN)
        self._ready[descriptor] = ready

    def forget(self, descriptor: int) -> None:
        """Listen no more; before the descriptor is closed."""
        if self._ready.pop(descriptor, None):
            self._epoll.unregister(descriptor)

    def _turn(self) -> None:
        for descriptor, _ in self._epoll.poll(0, _MOST_A_TURN):
            # an earlier call of this turn may have forgotten it
            if ready := self._ready.get(descriptor):
                try:
                    ready()
                except Exception as error:  # the others go on, as where the loop itself calls them
                    _report(error, ready)


_EARS: WeakKeyDictionary[asyncio.AbstractEventLoop, Ears] = WeakKeyDictionary()


def ears() -> Ears:
    """Those of the event loop that runs."""
    loop = asyncio.get_running_loop()
    if (found := _EARS.get(loop)) is None:
        found = _EARS[loop] = Ears(loop)
    return found


async def readable(descriptor: int) -> None:
    """Until there is something to read, or the end."""
    ours = ears()
    await _signalled(lambda wake: ours.listen(descriptor, wake), lambda: ours.forget(descriptor))


async def writable(descriptor: int) -> None:
    """Until there is room to write, or nobody to read."""
    loop = asyncio.get_running_loop()
    await _signalled(lambda wake: loop.add_writer(descriptor, wake), lambda: loop.remove_writer(descriptor))


async def _signalled(watch: Callable[[Ready], object], forget: Callable[[], object]) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not future.done():
            future.set_result(None)

    watch(wake)
    try:
        await future
    finally:
        forget()


def _report(error: Exception, ready: Ready) -> None:
    context = {"message": f"Exception in callback {ready!r}", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)
