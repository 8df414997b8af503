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
from contextlib import AsyncExitStack, ExitStack
from typing import Any, NamedTuple

from casemate.sandbox.cells import Cell
from casemate.sandbox.errors import LaunchFailed, ZygoteLost
from casemate.sandbox.orders import MESSAGE_LIMIT, Order
from casemate.sandbox.running import Box
from casemate.sandbox.waiting import readable
from casemate.sandbox.zygotes import Ended, Zygote

_MOST_DESCRIPTORS = 3
_CREDENTIALS = struct.Struct("iII")
"""struct ucred, see unix(7)."""
_ANCILLARY = socket.CMSG_SPACE(_MOST_DESCRIPTORS * array.array("i").itemsize) + socket.CMSG_SPACE(_CREDENTIALS.size)
_PATIENCE = 30


class _Ready(NamedTuple):
    walls: Mapping[str, str]
    for_broker: tuple[int, ...]
    process: int


async def enclose(zygote: Zygote, order: Order, cell: Cell | None = None) -> Box:
    """Start one sandbox in `cell`, if there is one; it then waits to be told what to run.

    LaunchFailed: a wall could not be built; ZygoteLost: the zygote is gone. Either way nothing is left of the sandbox.
    """
    doors = _prepared(cell, order)
    async with AsyncExitStack() as undo:
        with ExitStack() as given_away:
            ours, theirs = socket.socketpair()
            undo.callback(ours.close)
            given_away.callback(theirs.close)
            ours.setblocking(False)
            # whoever answers is told by the kernel itself, by the number that he has here
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            (stdout, their_stdout), (stderr, their_stderr) = _pipe(undo, given_away), _pipe(undo, given_away)
            ended = await zygote.order(order, theirs.fileno(), their_stdout, their_stderr, *doors)
        undo.push_async_callback(_end, zygote, order.id, ended)
        try:
            async with asyncio.timeout(_PATIENCE):
                ready = await _ready(ours, ended)
        except TimeoutError as error:
            raise LaunchFailed(f"The sandbox did not report its walls within {_PATIENCE} seconds.") from error
        undo.pop_all()
    return Box(
        id=order.id,
        zygote=zygote,
        channel=ours,
        stdout=stdout,
        stderr=stderr,
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
    """Get rid of a sandbox that has not been told what to run."""
    await _end(box.zygote, box.id, box.ended)
    for descriptor in box.for_broker:
        os.close(descriptor)
    box.close()


async def _end(zygote: Zygote, order: int, ended: asyncio.Future[Ended]) -> None:
    with contextlib.suppress(ZygoteLost):  # then it is dead already
        await zygote.kill(order)
        await ended


def _pipe(undo: AsyncExitStack, given_away: ExitStack) -> tuple[int, int]:
    """A pipe whose reading end is ours and does not block, and whose writing end is theirs."""
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    undo.callback(os.close, ours)
    given_away.callback(os.close, theirs)
    os.set_blocking(ours, False)
    return ours, theirs


async def _ready(channel: socket.socket, ended: asyncio.Future[Ended]) -> _Ready:
    """What the sandbox reports of its walls, and its descriptors for a broker. LaunchFailed: it has none or died."""
    answer, descriptors, process = await _answer(channel)
    if answer is None:
        end = await ended
        raise LaunchFailed(f"The sandbox could not be started: {end.refused or f'it ended with status {end.status}'}")
    if "ready" not in answer:
        raise LaunchFailed(f"A wall of the sandbox could not be built: {answer.get('refused')}")
    return _Ready(answer["ready"], descriptors, process)


async def _answer(channel: socket.socket) -> tuple[dict[str, Any] | None, tuple[int, ...], int]:
    """The first message of a sandbox, before anything that is not ours runs in it, and who sent it; None if it died."""
    line, received, process = b"", array.array("i"), 0
    while not line.endswith(b"\n"):
        await readable(channel.fileno())
        piece, ancillary, _, _ = channel.recvmsg(MESSAGE_LIMIT, _ANCILLARY, socket.MSG_CMSG_CLOEXEC)
        for _, kind, content in ancillary:
            if kind == socket.SCM_RIGHTS:
                received.frombytes(content[: len(content) - len(content) % received.itemsize])
            elif kind == socket.SCM_CREDENTIALS:
                process, _, _ = _CREDENTIALS.unpack(content)
        if not piece:
            return None, (), 0
        line += piece
    return json.loads(line), tuple(received), process
