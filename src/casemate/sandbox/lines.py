"""Splitting a stream of bytes into lines of bounded length."""

from __future__ import annotations


class Lines:
    """Lines without their ends. One longer than `limit` bytes is cut there, what follows up to its end is dropped."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that are complete with this chunk."""
        *ended, rest = chunk.split(b"\n")
        lines = []
        for piece in ended:
            self._extend(piece)
            lines.append(self._taken())
        self._extend(rest)
        return lines

    def rest(self) -> list[bytes]:
        """At the end of the stream: the last line, if it had no end."""
        return [self._taken()] if self._open else []

    def _extend(self, piece: bytes) -> None:
        self._open += piece[: self._limit - len(self._open)]

    def _taken(self) -> bytes:
        line = bytes(self._open).removesuffix(b"\r")
        self._open.clear()
        return line
