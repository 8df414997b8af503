"""How a value is written in digits: hexadecimal ones, those of Base64, numbers of bytes, and the rows of dumps."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import AnyStr, Final

from casemate.masking.escapes import NAMED

_RECOGNISABLE: Final = 4
"""Digits of Base64, or letters of a dump, that hardly stand in a text by chance."""
_BASE64_WIDTHS: Final = (76, 64)
_BASE64_LINE: Final = 57
"""Bytes in the longer of these lines. In the shorter one are 48: in both it is threes, so each line is whole bytes."""
_BASE64_KNOWN: Final = 36
"""Bytes from the begin of a value on after which the search knows it by itself."""
_HEX_WIDTH: Final = 60
_ROW: Final = 16
"""Bytes in a row of a dump; half of them stand together where `hexdump -C` leaves a gap."""
_SHORTEST_ROW: Final = 3
_SHORTEST_LIST: Final = 6
"""Bytes whose numbers hardly stand one after the other by chance, or are a piece of the Base64 of a value."""
_LONGEST_DUMP: Final = 1024
"""Bytes of a value that is known row by row: each row is written in a dozen ways."""


def in_digits(content: bytes) -> Iterator[str]:
    """The bytes in every way that shows their numbers."""
    yield from _hexadecimal(content)
    yield from _base64(content)
    yield from _wrapped(content)
    yield from _dumped(content)
    yield from _listed(content)


def _hexadecimal(content: bytes) -> Iterator[str]:
    """Digits in one piece, in the lines of `xxd -p`, one byte after another as in dumps and programs, and by two."""
    digits = content.hex()
    written = [digits, *_pieces(digits, _HEX_WIDTH, 2 * _SHORTEST_ROW)]
    for row in {content, *_rows(content, _ROW // 2), *_rows(content, _ROW)}:
        written += [row.hex(between) for between in " :"]
        written += [row.hex(" ", -2), row.hex(" ", 2)]
    yield from written
    yield from (one.upper() for one in written)
    yield "".join(f"\\x{byte:02x}" for byte in content)


def _listed(content: bytes) -> Iterator[str]:
    """One number after the other, as programs show arrays of bytes."""
    if len(content) >= _SHORTEST_LIST:
        yield from (between.join(map(str, content)) for between in (" ", ",", ", "))
    yield from (between.join(f"0x{byte:02x}" for byte in content) for between in (",", ", "))


def _base64(content: bytes) -> Iterator[str]:
    """How Base64 shows the value wherever it begins inside a longer text, without the digits its neighbours share."""
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        complete = (before + len(content)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            digits = encode(bytes(before) + content).decode()
            # At the end of the text the last digit and the padding would tell the last bits.
            yield from (one for one in (digits[shared:complete], digits[shared:]) if len(one) >= _RECOGNISABLE)
            yield digits[shared:].rstrip("=")


def _wrapped(content: bytes) -> Iterator[str]:
    """The pieces of it that stand in lines of Base64, wherever it begins; of a long one only if it begins the text."""
    if len(content) > _LONGEST_DUMP:
        digits = base64.b64encode(content).decode()
        yield from (one for width in _BASE64_WIDTHS for one in _pieces(digits, width, 2 * _RECOGNISABLE))
        return
    for size in range(_SHORTEST_LIST, min(len(content), _BASE64_KNOWN)):
        before = -size % 3
        yield base64.b64encode(bytes(before) + content[:size]).decode()[before and before + 1 :]
    for begin in range(1, len(content) - _SHORTEST_LIST + 1):
        row = content[begin : begin + _BASE64_LINE]
        digits = base64.b64encode(row).decode()
        # The value may be the end of the text, or something may share its last digit.
        yield from {digits, digits[: len(row) * 8 // 6]}


def _dumped(content: bytes) -> Iterator[str]:
    """The letters beside the digits of a dump, and as `od -c` shows them."""
    for row in {content, *_rows(content, _ROW)}:
        letters = "".join(chr(byte) if _is_letter(byte) else "." for byte in row)
        if len(letters.replace(".", "")) >= _RECOGNISABLE:
            yield letters
        if len(row) >= _RECOGNISABLE:
            yield "".join(f"{_named(byte):>4}" for byte in row).lstrip()


def _is_letter(byte: int) -> bool:
    return 0x20 <= byte < 0x7F


def _named(byte: int) -> str:
    return NAMED.get(chr(byte)) or (chr(byte) if _is_letter(byte) else f"{byte:03o}")


def _rows(content: bytes, size: int) -> Iterator[bytes]:
    """The rows of a dump that the value begins, but for those that may stand anywhere, and of a value that is large."""
    if len(content) <= _LONGEST_DUMP:
        yield from (row for row in _pieces(content, size, _SHORTEST_ROW) if len(set(row)) >= _SHORTEST_ROW)


def _pieces(whole: AnyStr, size: int, least: int) -> Iterator[AnyStr]:
    """What stands in each row if the value is broken into rows of this size; not what is too short to be known."""
    if len(whole) > size:
        rows = (whole[begin : begin + size] for begin in range(0, len(whole), size))
        yield from (row for row in rows if len(row) >= least)
