"""The way between one sandbox and the worker: JSON objects, one a line, on a stream socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping

_CHUNK = 1 << 16


class Channel:
    """The sandbox's end. Reads block; what was read beyond a line waits for the next call."""

    def __init__(self, descriptor: int) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=descriptor)
        self._unread = bytearray()

    def tell(self, message: Mapping[str, object], *descriptors: int) -> None:
        """Send one message, with copies of descriptors. TypeError or ValueError: it is not JSON."""
        line = json.dumps(message, allow_nan=False).encode() + b"\n"
        sent = socket.send_fds(self.socket, [line], list(descriptors))
        self.socket.sendall(line[sent:])

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
