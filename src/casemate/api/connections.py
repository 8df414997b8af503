"""Connections that cannot be held without a reason: bounded in number, in the time for a request, and in patience.

uvicorn waits for ever for the rest of a request's head and for a reader who has stopped to read.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from casemate.api.limits import Limits

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nretry-after: 5\r\n"
    b"connection: close\r\ncontent-length: 20\r\n\r\ntoo many connections"
)


class Connection(H11Protocol):
    """One connection of a server with these limits."""

    limits = Limits()
    _closing: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Takes the connection, or says that there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.write(_FULL)
            transport.close()
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._head_is_here()
        self._is_read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Part of a request. The time for its head runs from its first byte, however many single ones come."""
        super().data_received(data)
        # Before the first request there is no cycle, whatever its type says.
        if getattr(self.cycle, "response_complete", True):
            self._expect_head()
        else:
            self._head_is_here()

    def pause_writing(self) -> None:
        """More is written than was read."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.limits.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """It was read after all."""
        self._is_read()
        super().resume_writing()

    def _expect_head(self) -> None:
        if self._closing is None:
            self._closing = self.loop.call_later(self.limits.head, self.transport.abort)

    def _head_is_here(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
        self._closing = None

    def _is_read(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        self._stalled = None


def connection(limits: Limits) -> type[Connection]:
    """The kind of connections that has these limits."""
    return type("Limited", (Connection,), {"limits": limits})
