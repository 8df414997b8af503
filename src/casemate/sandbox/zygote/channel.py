"""The way between one sandbox and the worker: JSON objects, one a line, on a stream socket."""

from __future__ import annotations

import array
import contextlib
import json
import socket
from collections.abc import Mapping

_CHUNK = 1 << 16
_encoder = json.JSONEncoder(allow_nan=False)


class Channel:
    """The sandbox's end. Reads block; what was read beyond a line waits for the next call."""

    def __init__(self, descriptor: int) -> None:
        # The plain type below `socket.socket`: every child makes one, and pays for each page of code it touches.
        self.socket = socket.SocketType(socket.AF_UNIX, socket.SOCK_STREAM, 0, descriptor)
        self._unread = bytearray()

    def tell(self, message: Mapping[str, object], *descriptors: int) -> None:
        """Send one message, with copies of descriptors. TypeError or ValueError: it is not JSON."""
        line = _encoder.encode(message).encode() + b"\n"
        sent = self._send_with(line, descriptors) if descriptors else 0
        self.socket.sendall(line[sent:])

    def rehearse(self, message: Mapping[str, object]) -> None:
        """Go through what such a message will need, without one: memory touched now is not copied while one waits."""
        self._unread += _encoder.encode(message).encode() + b"\n"
        self.hear()
        with contextlib.suppress(BlockingIOError):
            self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)

    def hear(self) -> dict[str, object] | None:
        """The next message, None when the worker is gone."""
        while b"\n" not in self._unread:
            chunk = self.socket.recv(_CHUNK)
            if not chunk:
                return None
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        message: dict[str, object] = json.loads(line)
        return message

    def _send_with(self, line: bytes, descriptors: tuple[int, ...]) -> int:
        """As `socket.send_fds`, which wants a socket of the richer type."""
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        return self.socket.sendmsg([line], [rights])
