"""Starting one sandbox: descriptors for it, an order to the zygote, and its report that every wall stands."""

from __future__ import annotations

import array
import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from casemate.sandbox.cells import Cell
from casemate.sandbox.errors import LaunchFailed, ZygoteLost
from casemate.sandbox.orders import MESSAGE_LIMIT, Order
from casemate.sandbox.running import Box
from casemate.sandbox.waiting import ears
from casemate.sandbox.zygotes import Ended, Zygote

_FOR_BROKER = 3
"""The listener and the two sockets of the name stub."""
_CREDENTIALS = struct.Struct("iII")
"""struct ucred, see unix(7)."""
_ANCILLARY = socket.CMSG_SPACE(_FOR_BROKER * array.array("i").itemsize) + socket.CMSG_SPACE(_CREDENTIALS.size)
_PATIENCE = 30


class _Ready(NamedTuple):
    walls: Mapping[str, str]
    for_broker: tuple[int, ...]
    process: int


class _Ends(NamedTuple):
    """The ends of the streams of one sandbox: its channel, standard output and standard error."""

    channel: socket.socket
    stdout: int
    stderr: int

    def close(self) -> None:
        """Give them back."""
        self.channel.close()
        os.close(self.stdout)
        os.close(self.stderr)


async def enclose(zygote: Zygote, order: Order, cell: Cell | None = None) -> Box:
    """Start one sandbox in `cell`, if there is one; it then waits to be told what to run.

    LaunchFailed: a wall could not be built; ZygoteLost: the zygote is gone. Either way nothing is left of the sandbox.
    """
    doors = _prepared(cell, order)
    ours, theirs = _streams()
    try:
        try:
            ended = await zygote.order(order, theirs.channel.fileno(), theirs.stdout, theirs.stderr, *doors)
        finally:
            theirs.close()
        try:
            ready = await _ready(ours.channel, ended, _FOR_BROKER if order.listened else 0)
        except BaseException:
            await _end(zygote, order.id, ended)
            raise
    except BaseException:
        ours.close()
        raise
    return Box(
        id=order.id,
        zygote=zygote,
        channel=ours.channel,
        stdout=ours.stdout,
        stderr=ours.stderr,
        ended=ended,
        walls=ready.walls,
        for_broker=ready.for_broker,
        cell=cell,
        watched=0 if "memory" in order.grouped else ready.process,
    )


def _prepared(cell: Cell | None, order: Order) -> tuple[int, ...]:
    """The doors of a cell in which this sandbox may be."""
    if cell is None:
        return ()
    try:
        cell.prepare(order.limits)
    except OSError as error:
        raise LaunchFailed(f"The control groups of the sandbox cannot be set: {error}") from error
    return cell.doors


async def abandon(box: Box) -> None:
    """Get rid of a sandbox that has not been told what to run, also if nobody waits for that to the end."""
    try:
        await _end(box.zygote, box.id, box.ended)
    finally:
        for descriptor in box.for_broker:
            os.close(descriptor)
        box.close()


async def _end(zygote: Zygote, order: int, ended: asyncio.Future[Ended]) -> None:
    with contextlib.suppress(ZygoteLost):  # then it is dead already
        await zygote.kill(order)
        await ended


def _streams() -> tuple[_Ends, _Ends]:
    """Our ends of new streams, which do not block, and a sandbox's. OSError: too many are open."""
    opened: list[int] = []
    try:
        for _ in range(2):
            opened += os.pipe2(os.O_CLOEXEC)
        ours, theirs = socket.socketpair()
    except BaseException:
        for descriptor in opened:
            os.close(descriptor)
        raise
    stdout, their_stdout, stderr, their_stderr = opened
    os.set_blocking(stdout, False)
    os.set_blocking(stderr, False)
    ours.setblocking(False)
    # whoever answers is told by the kernel itself, by the number that he has here
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return _Ends(ours, stdout, stderr), _Ends(theirs, their_stdout, their_stderr)


async def _ready(channel: socket.socket, ended: asyncio.Future[Ended], for_broker: int) -> _Ready:
    """What the sandbox reports of its walls, and its descriptors for a broker, of which there are to be so many.

    LaunchFailed: a wall is missing, it died, or the kernel has left descriptors out because this process has too many.
    """
    first = _FirstWord(channel)
    try:
        answer = await _answer(first, ended)
        if len(first.descriptors) != for_broker:
            raise LaunchFailed(f"Only {len(first.descriptors)} of {for_broker} descriptors of the sandbox arrived.")
    except BaseException as error:
        for descriptor in first.descriptors:
            os.close(descriptor)
        if isinstance(error, TimeoutError):
            raise LaunchFailed(f"The sandbox did not report its walls within {_PATIENCE} seconds.") from error
        raise
    finally:
        first.close()
    return _Ready(answer["ready"], tuple(first.descriptors), first.process)


async def _answer(first: _FirstWord, ended: asyncio.Future[Ended]) -> dict[str, Any]:
    """TimeoutError: it says nothing, or is gone and nobody knows how."""
    line = await first.spoken
    if not line:
        async with asyncio.timeout(_PATIENCE):
            end = await asyncio.shield(ended)
        raise LaunchFailed(f"The sandbox could not be started: {end.refused or f'it ended with status {end.status}'}")
    answer: dict[str, Any] = json.loads(line.decode())
    if "ready" not in answer:
        raise LaunchFailed(f"A wall of the sandbox could not be built: {answer.get('refused')}")
    return answer


class _FirstWord:
    """Hears the first message of a sandbox, before anything that is not ours runs in it, from now on until closed."""

    def __init__(self, channel: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._channel = channel
        self._line = b""
        self._ears = ears()
        self._clock = loop.call_later(_PATIENCE, self._late)
        self.spoken: asyncio.Future[bytes] = loop.create_future()
        """The message; nothing if the sandbox ended before it had said all of it."""
        self.descriptors = array.array("i")
        """What came along."""
        self.process = 0
        """Who sent it."""
        self._ears.listen(channel.fileno(), self._hear)

    def close(self) -> None:
        """Hear no more."""
        self._clock.cancel()
        self._ears.forget(self._channel.fileno())

    def _hear(self) -> None:
        try:
            piece, ancillary, _, _ = self._channel.recvmsg(MESSAGE_LIMIT, _ANCILLARY, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError as error:
            self._settle(error)
            return
        for _, kind, content in ancillary:
            if kind == socket.SCM_RIGHTS:
                self.descriptors.frombytes(content[: len(content) - len(content) % self.descriptors.itemsize])
            elif kind == socket.SCM_CREDENTIALS:
                self.process, _, _ = _CREDENTIALS.unpack(content)
        self._line += piece
        if not piece or piece.endswith(b"\n"):
            self._settle(self._line if piece else b"")

    def _late(self) -> None:
        self._settle(TimeoutError())

    def _settle(self, outcome: bytes | Exception) -> None:
        self._ears.forget(self._channel.fileno())
        if self.spoken.done():
            return
        if isinstance(outcome, bytes):
            self.spoken.set_result(outcome)
        else:
            self.spoken.set_exception(outcome)
