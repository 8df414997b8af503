"""Starting one sandbox: descriptors for it, an order to the zygote, and its report that every wall stands."""

from __future__ import annotations

import json
import os
import socket
from contextlib import ExitStack
from typing import Any

from casemate.sandbox.errors import LaunchFailed
from casemate.sandbox.orders import MESSAGE_LIMIT, Order
from casemate.sandbox.running import Box
from casemate.sandbox.waiting import readable
from casemate.sandbox.zygotes import Zygote

_MOST_DESCRIPTORS = 2


async def enclose(zygote: Zygote, order: Order) -> Box:
    """Start one sandbox, which then waits to be told what to run.

    LaunchFailed: a wall could not be built, so nothing is there; ZygoteLost: the zygote is gone.
    """
    with ExitStack() as undo:
        ours, theirs = socket.socketpair()
        undo.callback(ours.close)
        with theirs:
            stdout, their_stdout = _pipe(undo)
            stderr, their_stderr = _pipe(undo)
            try:
                ended = await zygote.order(order, theirs.fileno(), their_stdout, their_stderr)
            finally:
                os.close(their_stdout)
                os.close(their_stderr)
        ours.setblocking(False)
        answer, for_broker = await _answer(ours)
        if answer is None:
            end = await ended
            raise LaunchFailed(
                f"The sandbox could not be started: {end.refused or f'it ended with status {end.status}'}"
            )
        if "ready" not in answer:
            await ended
            raise LaunchFailed(f"A wall of the sandbox could not be built: {answer.get('refused')}")
        undo.pop_all()
    return Box(
        id=order.id,
        zygote=zygote,
        channel=ours,
        stdout=stdout,
        stderr=stderr,
        ended=ended,
        walls=answer["ready"],
        for_broker=for_broker,
    )


def _pipe(undo: ExitStack) -> tuple[int, int]:
    """A pipe whose reading end is ours, does not block, and is closed if anything goes wrong."""
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    undo.callback(os.close, ours)
    os.set_blocking(ours, False)
    return ours, theirs


async def _answer(channel: socket.socket) -> tuple[dict[str, Any] | None, tuple[int, ...]]:
    """The first message of a sandbox, before anything that is not ours runs in it; None if it died first."""
    line, received = b"", []
    while not line.endswith(b"\n"):
        await readable(channel.fileno())
        piece, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_LIMIT, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
        received += descriptors
        if not piece:
            return None, ()
        line += piece
    return json.loads(line), tuple(received)
