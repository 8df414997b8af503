"""ION text as rows, read value by value (spec/engine 12.3). JSON values, one a line, are ION too.

Whoever wrote the file may be hostile: a value has a greatest length and depth, and reading takes time in proportion to
the length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

LONGEST = 1 << 20
"""Characters of one value."""
DEPTH = 56
"""How deep a value may be nested."""

_CHUNK = 1 << 16

_BLANK = re.compile(r"(?:\s+|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
# Unrolled loops: they neither go back nor remember a place for each character.
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_LONG_STRING = re.compile(r"'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''", re.DOTALL)
_SYMBOL = re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'", re.DOTALL)
_BLOB = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_ATOM = re.compile(r"""[^\s,\[\]{}()"':/]+(?::(?!:)[^\s,\[\]{}()"':/]*)*""")
_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_ANNOTATED = re.compile(r"\s*::")

_INTEGER = re.compile(r"[-+]?\d+(?:_\d+)*", re.ASCII)
_BASED = re.compile(r"([-+]?)0([xXbB])([0-9a-fA-F_]+)")
_REAL = re.compile(r"([-+]?\d[\d_]*(?:\.[\d_]*)?)(?:[eEdD]([-+]?\d+))?", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?T?(?:\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[-+]\d\d:\d\d))?", re.ASCII)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\r?\n)|(.))", re.DOTALL)
_ESCAPED = {"0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "v": "\v"}


class NotIon(ValueError):
    """The text is no ION."""


class _Incomplete(Exception):
    """The text ends inside a value."""


@dataclass(frozen=True, slots=True)
class Row:
    """One value: as it was written, and as JSON has it (dates as texts)."""

    text: str
    value: Any


def rows(path: Path) -> Iterator[Row]:
    """The values of a file. Raises `NotIon`."""
    with path.open(encoding="utf-8", newline="") as file:
        rest, ended = "", False
        while not ended:
            # As much again as there is: a long value is looked at a few times, not once for each piece.
            piece = file.read(max(_CHUNK, len(rest)))
            rest, ended = rest + piece, not piece
            end = 0
            for row, behind in _values(rest, ended):
                end = behind
                yield row
            rest = rest[end:]
            if len(rest) > LONGEST:
                raise NotIon(f"Invalid ion: a value has more than {LONGEST} characters")


def _values(text: str, whole: bool) -> Iterator[tuple[Row, int]]:
    """Every value of a text that is complete, and where it ends. `whole`: nothing follows."""
    reader = _Reader(text, whole)
    while True:
        try:
            start = reader.blank(reader.place)
            if start == len(text):
                return
            value = reader.value(start, DEPTH)
        except _Incomplete:
            if whole:
                raise NotIon("Invalid ion: it ends inside a value") from None
            return
        if text[start : reader.place] != "$ion_1_0":
            yield Row(text[start : reader.place], value), reader.place


class _Reader:
    """Reads values of one text; `place` is behind the last."""

    def __init__(self, text: str, whole: bool) -> None:
        self._text = text
        self._whole = whole
        self.place = 0

    def blank(self, start: int) -> int:
        """Where the blanks and comments from here on end."""
        found = _BLANK.match(self._text, start)
        end = found.end() if found else start
        if self._text.startswith("/*", end):
            raise _Incomplete
        return end

    def value(self, start: int, levels: int) -> Any:
        """The value that begins here, behind its annotations."""
        if not levels:
            raise NotIon(f"Invalid ion: nested deeper than {DEPTH} levels")
        while (end := self._annotation(start)) is not None:
            start = self.blank(end)
        self._more(start)
        if self._text.startswith("{{", start):
            return self._taken(_BLOB, start)[2:-2].strip()
        match self._text[start]:
            case "{":
                return dict(self._fields(start + 1, levels - 1))
            case "[":
                return list(self._items(start + 1, levels - 1, "]"))
            case "(":
                return list(self._items(start + 1, levels - 1, ")"))
            case '"':
                return _unescaped(self._taken(_STRING, start)[1:-1])
            case "'":
                return self._quoted(start)
        return _meaning(self._atom(start))

    def _annotation(self, start: int) -> int | None:
        found = _SYMBOL.match(self._text, start) or _NAME.match(self._text, start)
        mark = _ANNOTATED.match(self._text, found.end()) if found else None
        return mark.end() if mark else None

    def _quoted(self, start: int) -> str:
        if not self._text.startswith("'''", start):
            return _unescaped(self._taken(_SYMBOL, start)[1:-1])
        pieces = [_unescaped(self._taken(_LONG_STRING, start)[3:-3])]
        while self._text.startswith("'''", following := self.blank(self.place)):
            pieces.append(_unescaped(self._taken(_LONG_STRING, following)[3:-3]))
        return "".join(pieces)

    def _atom(self, start: int) -> str:
        text = self._taken(_ATOM, start)
        # A number that touches the end of the text may go on in the next piece.
        if self.place == len(self._text) and not self._whole:
            raise _Incomplete
        return text

    def _taken(self, pattern: re.Pattern[str], start: int) -> str:
        found = pattern.match(self._text, start)
        if found is None:
            if pattern is _ATOM:
                _refuse(self._text[start])
            raise _Incomplete
        self.place = found.end()
        return found.group()

    def _items(self, start: int, levels: int, closing: str) -> Iterator[Any]:
        place = self._next(start)
        while self._text[place] != closing:
            yield self.value(place, levels)
            place = self._next(self.place, closing)
        self.place = place + 1

    def _fields(self, start: int, levels: int) -> Iterator[tuple[str, Any]]:
        place = self._next(start)
        while self._text[place] != "}":
            name = self._field_name(place)
            colon = self._next(self.place)
            if self._text[colon] != ":":
                _refuse(self._text[colon])
            yield name, self.value(self._next(colon + 1), levels)
            place = self._next(self.place, "}")
        self.place = place + 1

    def _field_name(self, start: int) -> str:
        match self._text[start]:
            case '"':
                return _unescaped(self._taken(_STRING, start)[1:-1])
            case "'":
                return self._quoted(start)
        if _NAME.match(self._text, start) is None:
            _refuse(self._text[start])
        return self._taken(_NAME, start)

    def _next(self, start: int, closing: str = "") -> int:
        """Where something stands; behind an item (`closing` given) a comma or the end of the container."""
        place = self.blank(start)
        self._more(place)
        if closing and self._text[place] == ",":
            place = self.blank(place + 1)
            self._more(place)
        elif closing not in ("", ")") and self._text[place] != closing:
            _refuse(self._text[place])
        return place

    def _more(self, place: int) -> None:
        if place >= len(self._text):
            raise _Incomplete


def _refuse(character: str) -> NoReturn:
    raise NotIon(f"Invalid ion: unexpected character {character!r}")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_meant, text) if "\\" in text else text


def _meant(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else _refuse(code)
    return "" if found[4] else _ESCAPED.get(found[5], found[5])


def _meaning(atom: str) -> Any:
    """What a word without quotes is."""
    match atom:
        case "null":
            return None
        case "true":
            return True
        case "false":
            return False
        case "nan" | "+inf" | "-inf":
            return atom
    if atom.startswith("null."):
        return None
    return _number(atom)


def _number(atom: str) -> Any:
    if _INTEGER.fullmatch(atom):
        return int(atom)
    if based := _BASED.fullmatch(atom):
        return int(based[1] + based[3], 16 if based[2] in "xX" else 2)
    if _TIMESTAMP.fullmatch(atom):
        return atom
    if real := _REAL.fullmatch(atom):
        number = float(f"{real[1].replace('_', '')}e{real[2] or 0}")
        return number if abs(number) != float("inf") else atom
    return atom if _NAME.fullmatch(atom) else _refuse(atom[0])
