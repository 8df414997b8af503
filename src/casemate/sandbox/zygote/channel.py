"""The way between one sandbox and the worker: JSON objects, one a line, on a stream socket.

What is here runs in every child, and each page of memory that it touches is copied for it: so it makes no objects that
it does not need, of a socket or else.
"""

from __future__ import annotations

import array
import json
import os
import socket
from collections.abc import Mapping

_CHUNK = 1 << 16
_encoder = json.JSONEncoder(allow_nan=False)
_decoder = json.JSONDecoder()


def encoded(message: Mapping[str, object]) -> bytes:
    """A message as it is sent. TypeError or ValueError: it is not JSON."""
    return _encoder.encode(message).encode() + b"\n"


class Channel:
    """The sandbox's end. Reads block; what was read beyond a line waits for the next call."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._unread = bytearray()

    def tell(self, message: Mapping[str, object]) -> None:
        """Send one message. TypeError or ValueError: it is not JSON."""
        self.send(encoded(message))

    def send(self, line: bytes, *descriptors: int) -> None:
        """The same for one that is encoded, with copies of descriptors."""
        sent = self._send_with(line, descriptors) if descriptors else 0
        while sent < len(line):
            sent += os.write(self.descriptor, line[sent:] if sent else line)

    def rehearse(self, message: Mapping[str, object]) -> None:
        """Go through what such a message will need, without one: memory touched now is not copied while one waits."""
        self._unread += encoded(message)
        self.hear()

    def hear(self) -> dict[str, object] | None:
        """The next message, None when the worker is gone."""
        while b"\n" not in self._unread:
            chunk = os.read(self.descriptor, _CHUNK)
            if not chunk:
                return None
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        message: dict[str, object] = _decoder.raw_decode(line.decode())[0]
        return message

    def _send_with(self, line: bytes, descriptors: tuple[int, ...]) -> int:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        # the plain type below `socket.socket`, which would ask the kernel what it is told here
        way = socket.SocketType(socket.AF_UNIX, socket.SOCK_STREAM, 0, self.descriptor)
        try:
            return way.sendmsg([line], [rights])
        finally:
            way.detach()
