"""Making connections without waiting for them: on a socket of ours that is to take another's place, or on a task's."""

from __future__ import annotations

import errno
import fcntl
import os
import socket

from casemate.sandbox.kernel.calls import libc_call

UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY)

_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 4),
    (socket.SOL_SOCKET, socket.SO_OOBINLINE, 4),
    (socket.SOL_SOCKET, socket.SO_LINGER, 8),
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
        libc_call("connect", a_socket.fileno(), address, len(address))
    except OSError as error:
        return error.errno or errno.EIO
    finally:
        fcntl.fcntl(a_socket, fcntl.F_SETFL, flags)
    return 0


def blocks(a_socket: socket.socket) -> bool:
    """True if calls on this socket wait."""
    return not fcntl.fcntl(a_socket, fcntl.F_GETFL) & os.O_NONBLOCK


def like(theirs: socket.socket) -> socket.socket:
    """A stream socket of our network that behaves as the task has told its own to."""
    ours = socket.socket(theirs.family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    for level, option, size in _OPTIONS:
        ours.setsockopt(level, option, theirs.getsockopt(level, option, size))
    ours.setblocking(blocks(theirs))
    return ours


def is_connected(a_socket: socket.socket) -> bool:
    """True if it has a peer."""
    try:
        a_socket.getpeername()
    except OSError:
        return False
    return True
