"""In how many ways one value is written: as it is, line by line, and as usual programs and encodings show it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterator
from typing import AnyStr, Final
from urllib.parse import quote, quote_plus

SHORTEST: Final = 3
"""Shorter values are not covered: their letters stand in every other word, and stars there would tell them."""
TOO_SHORT: Final = "can not be masked in logs: it is too short, or a word or number that stands everywhere."
"""What is said of a value that is not `maskable`, never with the value."""

_COMMON: Final = frozenset(("true", "false", "null", "none"))
_SHORTEST_LINE: Final = 4
_RECOGNISABLE: Final = 4
"""Digits of Base64 that hardly stand in a text by chance."""
_BASE64_WIDTHS: Final = (76, 64)
_HEX_WIDTH: Final = 60
_ROW: Final = 16
"""Bytes in a row of a dump; half of them stand together where `hexdump -C` leaves a gap."""
_SHORTEST_ROW: Final = 3
_LONGEST_DUMP: Final = 1024
"""Bytes of a value that is known row by row: each row is written in a dozen ways."""

_ESCAPE: Final = re.compile("%[0-9A-F]{2}")
_UNICODE: Final = re.compile(r"\\u[0-9a-f]{4}")
_IN_PAGES: Final = re.compile("[<>&]")
_IN_DOUBLE_QUOTES: Final = re.compile(r'(["$`\\])')
_IN_BASH: Final = re.compile(r"""([\s!"$&'()*,;<>?[\\\]^`{|}])""", re.ASCII)
_NAMED: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\x1b": "\\E",
}


def maskable(value: str) -> bool:
    """Can it be covered? Not what stands everywhere: less than three characters or four digits, `true` and its like."""
    whole = value.strip()
    return len(whole) >= SHORTEST and whole.lower() not in _COMMON and not (whole.isdigit() and len(whole) < 4)


def forms(value: str) -> Iterator[str]:
    """The value in every way that is covered; none of one that is not `maskable`."""
    if not maskable(value):
        return
    whole = value.strip()
    # A script's output arrives line by line: a key of several lines would never be found as a whole.
    if "\n" in whole:
        lines = (line.strip() for line in whole.splitlines())
        yield from (line for line in lines if len(line) >= _SHORTEST_LINE and maskable(line))
    for text in {value, whole}:
        yield text
        yield from _escaped(text)
        content = text.encode("utf-8", "replace")
        yield from _hexadecimal(content)
        yield from _base64(content)
        yield from _dumped(text)


def _escaped(text: str) -> Iterator[str]:
    """In texts of JSON, YAML, SQL, CSV, of programs and shells, in addresses and in markup."""
    yield from _json(text)
    yield from {repr(text)[1:-1], repr(text.encode("utf-8", "replace"))[2:-1]}
    yield from {text.replace("'", "''"), text.replace('"', '""')}
    yield from _in_shells(text)
    yield from _in_markup(text)
    for address in {quote(text, safe=""), quote(text), quote_plus(text)}:
        yield from {address, _ESCAPE.sub(lambda match: match.group().lower(), address)}


def _json(text: str) -> Iterator[str]:
    for one in {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}:
        yield from {one, one.replace("/", "\\/"), _UNICODE.sub(_upper_digits, one)}
        # Go, and whoever puts JSON into pages, escapes what markup would take for its own.
        yield _IN_PAGES.sub(lambda match: f"\\u{ord(match.group()):04x}", one)


def _upper_digits(escape: re.Match[str]) -> str:
    return f"\\u{escape.group()[2:].upper()}"


def _in_shells(text: str) -> Iterator[str]:
    """In single quotes, in double ones, and as `printf %q`, `declare -p` and `set -x` of bash show it."""
    yield from {text.replace("'", "'\"'\"'"), text.replace("'", "'\\''")}
    yield from {_IN_DOUBLE_QUOTES.sub(r"\\\1", text), _IN_BASH.sub(r"\\\1", text)}
    if not (text.isascii() and text.isprintable()):
        yield from {_ansi(text, str), _ansi(text, lambda one: "".join(f"\\{byte:03o}" for byte in one.encode()))}


def _ansi(text: str, beyond_ascii: Callable[[str], str]) -> str:
    """Between `$'` and `'`."""
    return "".join(_ansi_character(one, beyond_ascii) for one in text.encode("utf-8", "replace").decode())


def _ansi_character(one: str, beyond_ascii: Callable[[str], str]) -> str:
    if one in "\\'":
        return f"\\{one}"
    if not one.isascii():
        return beyond_ascii(one)
    return _NAMED.get(one) or (one if one.isprintable() else f"\\{ord(one):03o}")


def _in_markup(text: str) -> Iterator[str]:
    escaped = html.escape(text, quote=False)
    for apostrophe in ("'", "&#x27;", "&#39;", "&apos;"):
        yield from {escaped.replace("'", apostrophe).replace('"', one) for one in ('"', "&quot;", "&#34;")}


def _hexadecimal(content: bytes) -> Iterator[str]:
    """Digits in one piece, in the lines of `xxd -p`, one byte after another as in dumps and programs, and by two."""
    digits = content.hex()
    written = [digits, *_pieces(digits, _HEX_WIDTH, 2 * _SHORTEST_ROW)]
    for row in {content, *_rows(content, _ROW // 2, _SHORTEST_ROW), *_rows(content, _ROW, _SHORTEST_ROW)}:
        written += [row.hex(between) for between in " :"]
        written += [row.hex(" ", -2), row.hex(" ", 2)]
    yield from written
    yield from (one.upper() for one in written)
    yield "".join(f"\\x{byte:02x}" for byte in content)
    yield ", ".join(f"0x{byte:02x}" for byte in content)


def _base64(content: bytes) -> Iterator[str]:
    """How Base64 shows the value wherever it begins inside a longer text, without the digits its neighbours share.

    Of a long one also the lines that the usual programs break it into.
    """
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        complete = (before + len(content)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            digits = encode(bytes(before) + content).decode()
            # At the end of the text the last digit and the padding would tell the last bits.
            yield from (one for one in (digits[shared:complete], digits[shared:]) if len(one) >= _RECOGNISABLE)
            yield digits[shared:].rstrip("=")
    digits = base64.b64encode(content).decode()
    for width in _BASE64_WIDTHS:
        yield from _pieces(digits, width, 2 * _RECOGNISABLE)


def _dumped(text: str) -> Iterator[str]:
    """The letters beside the digits of a dump, and as `od -c` shows them."""
    for row in {text, *_rows(text, _ROW, _RECOGNISABLE)}:
        yield row
        yield "".join(f"{_NAMED.get(one, one):>4}" for one in row).lstrip()


def _rows(whole: AnyStr, size: int, least: int) -> Iterator[AnyStr]:
    """The rows of a dump that the value begins, but for those that may stand anywhere, and of a value that is large."""
    if len(whole) <= _LONGEST_DUMP:
        yield from (row for row in _pieces(whole, size, least) if len(set(row)) >= _SHORTEST_ROW)


def _pieces(whole: AnyStr, size: int, least: int) -> Iterator[AnyStr]:
    """What stands in each row if the value is broken into rows of this size; not what is too short to be known."""
    if len(whole) > size:
        rows = (whole[begin : begin + size] for begin in range(0, len(whole), size))
        yield from (row for row in rows if len(row) >= least)
