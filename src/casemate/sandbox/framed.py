"""Messages over a stream, each behind its length (RFC 1035 4.2.2), without ever waiting for one."""

from __future__ import annotations

import select
import socket

from casemate.sandbox.dns import LARGEST

_CHUNK = 1024
_LENGTH = 2
_MOST_UNSENT = 4 * LARGEST


class Framed:
    """One stream that does not block. Owns its socket."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self._heard = bytearray()
        self._unsent = bytearray()

    @property
    def events(self) -> int:
        """What to wait for, as poll(2) names it."""
        return select.POLLIN | select.POLLOUT if self._unsent else select.POLLIN

    def received(self) -> tuple[bytes, ...]:
        """The messages that one more piece has made whole. EOFError: the other end is done; OSError: it is gone."""
        try:
            piece = self.stream.recv(_CHUNK)
        except BlockingIOError:
            return ()
        if not piece:
            raise EOFError
        self._heard += piece
        messages = []
        while (message := self._whole()) is not None:
            messages.append(message)
        return tuple(messages)

    def _whole(self) -> bytes | None:
        end = _LENGTH + int.from_bytes(self._heard[:_LENGTH])
        if len(self._heard) < max(_LENGTH, end):
            return None
        message = bytes(self._heard[_LENGTH:end])
        del self._heard[:end]
        return message

    def keep(self, message: bytes) -> None:
        """A message to be sent by `flush`. OSError: too many are, as the other end does not read."""
        self._unsent += len(message).to_bytes(_LENGTH) + message
        if len(self._unsent) > _MOST_UNSENT:
            raise BrokenPipeError("the other end does not read")

    def flush(self) -> None:
        """Send as much as goes out now. OSError: the other end is gone."""
        try:
            while self._unsent:
                del self._unsent[: self.stream.send(self._unsent)]
        except BlockingIOError:
            return

    def close(self) -> None:
        """Give the socket back."""
        self.stream.close()
