"""Answers and lists of stores within a time and a size: the clients alone would wait and read on for ever."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

from urllib3 import HTTPResponse
from urllib3.exceptions import DecodeError

from casemate.secrets.errors import BackendFailed

T = TypeVar("T")

LARGEST_ANSWER: Final = 16 * 2**20
"""Bytes. The largest values of any store are of a few MiB, and its lists come in pages."""

MOST_PAGES: Final = 2_000
MOST_ENTRIES: Final = 100_000
LONGEST_LIST: Final = 120.0
"""Seconds for all pages or entries of a list together."""

_PIECE: Final = 2**16
_ENCODING: Final = "Content-Encoding"


def whole(answer: Any, seconds: float) -> bytes:
    """The body of urllib3's answer, unpacked; after `seconds` nobody waits for the next byte of it.

    The connection goes back to its pool. Raises `BackendFailed`, and urllib3's errors where the connection breaks.
    """
    try:
        packed = _received(answer, time.monotonic() + seconds)
    except BaseException:
        answer.close()
        raise
    finally:
        answer.release_conn()
    encoding = answer.headers.get(_ENCODING)
    return _unpacked(packed, encoding) if encoding else packed


def ending(listed: Iterable[T], most: int) -> Iterator[T]:
    """The pages or entries of a list, where it has an end. Raises `BackendFailed` after `most` of them, or too long."""
    until = time.monotonic() + LONGEST_LIST
    for number, one in enumerate(listed):
        if number >= most or time.monotonic() > until:
            raise BackendFailed("The list of the secret store has no end, or takes too long.")
        yield one


def _received(answer: Any, until: float) -> bytes:
    body = bytearray()
    while piece := answer.read1(_PIECE, decode_content=False):
        body += piece
        _check_size(body)
        if time.monotonic() > until:
            raise BackendFailed("The secret store did not answer in time.", passing=True)
    return bytes(body)


def _unpacked(packed: bytes, encoding: str) -> bytes:
    # Not while it is received: what is packed can be long without giving a single byte.
    answer = HTTPResponse(io.BytesIO(packed), {_ENCODING: encoding}, preload_content=False)
    try:
        body = answer.read(LARGEST_ANSWER + 1)
    except DecodeError:
        raise BackendFailed("The answer of the secret store cannot be unpacked.") from None
    _check_size(body)
    return body


def _check_size(body: bytes | bytearray) -> None:
    if len(body) > LARGEST_ANSWER:
        raise BackendFailed("The answer of the secret store is too large.")
