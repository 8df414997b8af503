"""Making connections without waiting for them: on a socket of ours that is to take another's place, or on a task's."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from functools import cache

from casemate.sandbox.kernel.calls import system_call

_CLOSED = 7
"""TCP_CLOSE: neither connected nor listening."""
UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY)

_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 4),
    (socket.SOL_SOCKET, socket.SO_OOBINLINE, 4),
    (socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16),
    (socket.SOL_SOCKET, socket.SO_SNDTIMEO, 16),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 4),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 4),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 4),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 4),
)
"""What a task may have set before it connects, and the size of it. Buffer sizes stay the kernel's to tune."""


def attempted(a_socket: socket.socket, address: bytes) -> int:
    """Connect without waiting: 0, or the errno. Of a connection that was under way it is the result.

    The task's own sockets block or not as the task likes, so the flag, which is shared with it, is put back.
    """
    flags = fcntl.fcntl(a_socket, fcntl.F_GETFL)
    fcntl.fcntl(a_socket, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        return _connected(a_socket, address)
    finally:
        fcntl.fcntl(a_socket, fcntl.F_SETFL, flags)


def connected(ours: socket.socket, address: bytes) -> int:
    """The same for a socket that is ours alone and does not block."""
    error = _connected(ours, address)
    # On the loopback the other end has answered while we asked.
    return _connected(ours, address) if error == errno.EINPROGRESS else error


def bound(theirs: socket.socket, address: bytes) -> int:
    """Bind a socket, which never waits: 0, or the errno."""
    return _called("bind", theirs, address)


def _connected(a_socket: socket.socket, address: bytes) -> int:
    return _called("connect", a_socket, address)


def _called(name: str, a_socket: socket.socket, address: bytes) -> int:
    try:
        system_call(name, a_socket.fileno(), address, len(address))
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def blocks(a_socket: socket.socket) -> bool:
    """True if calls on this socket wait."""
    return not fcntl.fcntl(a_socket, fcntl.F_GETFL) & os.O_NONBLOCK


def like(theirs: socket.socket, family: int) -> socket.socket:
    """A stream socket of our network that behaves as the task has told its own to, but does not block yet."""
    ours = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    for (level, option, size), usual in zip(_OPTIONS, _usual(family), strict=True):
        wanted = theirs.getsockopt(level, option, size)
        if wanted != usual:
            ours.setsockopt(level, option, wanted)
    return ours


@cache
def _usual(family: int) -> tuple[bytes, ...]:
    """What a new socket has."""
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as new:
        return tuple(new.getsockopt(*option) for option in _OPTIONS)


def is_connected(a_socket: socket.socket) -> bool:
    """True if a TCP socket has a peer, or could have by now."""
    state: int = a_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != _CLOSED
