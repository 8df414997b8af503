"""How a text is written inside others: what JSON, shells, addresses, markup and programs put before some letters."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

NAMED: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\x1b": "\\E",
}
"""The letters that stand for what cannot be printed."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]*", re.ASCII)
_ESCAPE: Final = re.compile("%[0-9A-F]{2}")
_UNICODE: Final = re.compile(r"\\u[0-9a-f]{4}")
_IN_PAGES: Final = re.compile("[<>&]")
_IN_DOUBLE_QUOTES: Final = re.compile(r'(["$`\\])')
_IN_SINGLE_QUOTES: Final = re.compile(r"(['\\])")
_IN_STATEMENTS: Final = re.compile(r"""(["'\\])""")
_IN_BASH: Final = re.compile(r"""([\s!"$&'()*,;<>?[\\\]^`{|}])""", re.ASCII)
_QUOTES: Final = re.compile("'+")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_BETWEEN_LINES: Final = str.maketrans({"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})
_IN_TEMPLATES: Final = str.maketrans({"/": "&#x2F;", "`": "&#x60;", "=": "&#x3D;"})
_RECOGNISABLE: Final = 4
"""Letters that hardly stand in a text by chance."""
_LEFT_ALONE: Final = (
    *("", "/", "*", "!*'()", "$&+,/:;=@", "!#$&'()*+,/:;=?@", "!#$%&'()*+,/:;=?@[]~"),
    *("!$%&'()*+,/:;=@[\\]^|", "!$%&()*+,/:;=?@[\\]^`{|}"),
)
"""What libraries leave as it is in addresses, beside letters and digits: Python, JavaScript, Java, Go, a browser."""


def escaped(text: str) -> Iterator[str]:
    """In texts of JSON, YAML, SQL, CSV, of programs and shells, in addresses and in markup; the text itself, too."""
    if _PLAIN.fullmatch(text):
        return
    yield from _in_json(text)
    yield from _in_programs(text)
    yield from _in_shells(text)
    yield from _in_markup(text)
    yield from _in_addresses(text)
    if not text.isascii():
        yield from _in_ascii(text)


def _in_json(text: str) -> Iterator[str]:
    for one in {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}:
        yield from {one, one.replace("/", "\\/"), _UNICODE.sub(_upper_digits, one)}
        # Go, and whoever puts JSON into pages, escapes what markup would take for its own.
        yield _IN_PAGES.sub(lambda match: f"\\u{ord(match.group()):04x}", one)
        # JSON as a text in JSON, and as a text that a program shows.
        yield from {json.dumps(one)[1:-1], one.replace("\\", "\\\\"), _IN_SINGLE_QUOTES.sub(r"\\\1", one)}


def _upper_digits(escape: re.Match[str]) -> str:
    return f"\\u{escape.group()[2:].upper()}"


def _in_programs(text: str) -> Iterator[str]:
    yield from {repr(text)[1:-1], ascii(text)[1:-1], repr(text.encode("utf-8", "replace"))[2:-1]}
    yield from {text.replace("'", "''"), text.replace('"', '""')}
    yield from {_IN_SINGLE_QUOTES.sub(r"\\\1", text), _IN_STATEMENTS.sub(r"\\\1", text)}


def _in_shells(text: str) -> Iterator[str]:
    """In single quotes, in double ones, and as `printf %q`, `declare -p` and `set -x` of bash show it."""
    yield from {text.replace("'", "'\"'\"'"), text.replace("'", "'\\''"), _QUOTES.sub("'\"\\g<0>\"'", text)}
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
    return NAMED.get(one) or (one if one.isprintable() else f"\\{ord(one):03o}")


def _in_markup(text: str) -> Iterator[str]:
    escaped = html.escape(text, quote=False)
    for apostrophe in ("'", "&#x27;", "&#39;", "&apos;"):
        for one in ('"', "&quot;", "&#34;"):
            written = escaped.replace("'", apostrophe).replace('"', one)
            yield from {written, written.translate(_BETWEEN_LINES), written.translate(_IN_TEMPLATES)}
            # With numbers for what is not ASCII, as XML is written unless told otherwise.
            yield from {_numbered(written, "&#{};"), _numbered(written, "&#x{:x};"), _numbered(written, "&#x{:X};")}


def _numbered(text: str, form: str) -> str:
    return _BEYOND_ASCII.sub(lambda match: form.format(ord(match.group())), text)


def _in_addresses(text: str) -> Iterator[str]:
    written = {quote(text, safe=alone) for alone in _LEFT_ALONE}
    # Forms know neither.
    written |= {one.replace("~", "%7E").replace("%20", "+") for one in written}
    for address in {*written, quote_plus(text)}:
        for one in {address, _ESCAPE.sub(lambda match: match.group().lower(), address)}:
            # Also as the value of a field of another address.
            yield from {one, one.replace("%", "%25")}


def _in_ascii(text: str) -> Iterator[str]:
    """In YAML; and by programs that believe their output to be no Unicode."""
    yield _BEYOND_ASCII.sub(_by_code, json.dumps(text, ensure_ascii=False)[1:-1])
    for instead in ("?", "??", "\ufffd"):
        replaced = _BEYOND_ASCII.sub(instead, text)
        if len(replaced.replace(instead, "")) >= _RECOGNISABLE:
            yield replaced


def _by_code(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02X}" if code < 1 << 8 else f"\\u{code:04X}" if code < 1 << 16 else f"\\U{code:08X}"
