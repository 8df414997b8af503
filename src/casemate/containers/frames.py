"""What a container writes, from the engine's frames to lines, within bounds that nobody inside can move. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

from casemate.sandbox import Limits, Line

_HEAD: Final = struct.Struct(">BxxxL")
_ENGINES_OWN: Final = 3
KEPT: Final = 8
"""Bytes of its log that an engine may take for each that a task may write; very short lines reach that sooner."""
_AROUND: Final = 80
"""Bytes that an engine keeps with each frame: JSON around it, and its time."""
_STREAMS: Final[dict[int, Literal["stdout", "stderr"]]] = {0: "stdout", 1: "stdout", 2: "stderr"}


class FramesBroken(ValueError):
    """What came is not in the form in which engines write, or the engine itself says that it cannot go on."""


class Frames:
    """Takes pieces of the engine's stream and gives the lines that are whole by then."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rest = b""
        self._begun = {"stdout": bytearray(), "stderr": bytearray()}
        self._written = self._kept = 0

    @property
    def full(self) -> bool:
        """More was written than a task may, or an engine may keep of it."""
        return self._written > self._limits.output or self._kept > KEPT * self._limits.output

    def take(self, chunk: bytes, at: datetime) -> Iterator[Line]:
        """The lines that this piece completes. Raises `FramesBroken`."""
        heard, begin = self._rest + chunk, 0
        while len(heard) - begin >= _HEAD.size:
            kind, size = _HEAD.unpack_from(heard, begin)
            end = begin + _HEAD.size + size
            if kind not in (*_STREAMS, _ENGINES_OWN):
                raise FramesBroken(f"a frame of kind {kind}")
            if len(heard) < end:
                break
            content = heard[begin + _HEAD.size : end]
            if kind == _ENGINES_OWN:
                raise FramesBroken(content.decode("utf-8", "replace").strip())
            self._written += size
            self._kept += size + _AROUND
            yield from self._lines(_STREAMS[kind], content, at)
            begin = end
        self._rest = heard[begin:]

    def end(self, at: datetime) -> Iterator[Line]:
        """What has no line end, once nothing more comes."""
        for stream, begun in self._begun.items():
            if begun:
                yield self._line("stdout" if stream == "stdout" else "stderr", begun, at)

    def _lines(self, stream: Literal["stdout", "stderr"], content: bytes, at: datetime) -> Iterator[Line]:
        *whole, last = content.split(b"\n")
        for part in whole:
            self._keep(stream, part)
            yield self._line(stream, self._begun[stream], at)
            self._begun[stream] = bytearray()
        self._keep(stream, last)

    def _keep(self, stream: str, part: bytes) -> None:
        begun = self._begun[stream]
        begun += part[: max(self._limits.line - len(begun), 0)]

    def _line(self, stream: Literal["stdout", "stderr"], content: bytearray, at: datetime) -> Line:
        return Line(stream, bytes(content).removesuffix(b"\r").decode("utf-8", "replace"), at)
