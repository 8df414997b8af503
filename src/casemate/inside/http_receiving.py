"""The body of an HTTP answer, into memory or into a file, piece by piece and never more than agreed."""

from __future__ import annotations

import zlib
from typing import BinaryIO, Protocol

_CHUNK = 1 << 16
_PACKED = ("gzip", "x-gzip", "deflate")


class ExchangeFailed(Exception):
    """The exchange broke off; the message says why."""


class Answer(Protocol):
    """What a body is read from."""

    def read(self, amount: int, /) -> bytes:
        """The next bytes, none at the end."""


def receive(answer: Answer, coding: str, longest: int, into: BinaryIO) -> int:
    """Write the body to `into`, unpacked; how many bytes that were.

    A server may send for ever, and a small body may unpack to a large one: neither gets further than `longest`.
    """
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32) if coding.strip().lower() in _PACKED else None
    received = length = 0
    while piece := answer.read(_CHUNK):
        received += len(piece)
        plain = piece if unpacker is None else _unpacked(unpacker, piece, longest - length + 1)
        length += into.write(plain)
        if max(received, length) > longest:
            raise ExchangeFailed(f"The received length exceeds the maximum allowed content length [{longest}]")
    return length


def _unpacked(unpacker: zlib._Decompress, piece: bytes, most: int) -> bytes:
    try:
        return unpacker.decompress(piece, most)
    except zlib.error as error:
        raise ExchangeFailed(f"The body cannot be decompressed: {error}") from error
