"""Java's date patterns, `yyyy-MM-dd'T'HH:mm:ssXXX`, taken apart into letters and texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from casemate.expressions.errors import Fault

_LONGEST = 1000  # characters of a pattern
_MOST: Mapping[str, int] = {
    **dict.fromkeys("aFW", 1),
    **dict.fromkeys("dhHkKmsVw", 2),
    "D": 3,
    **dict.fromkeys("zO", 4),
    **dict.fromkeys("EGLMQXZceqx", 5),
    "S": 9,
    **dict.fromkeys("uyYAnN", 19),
}
"""The letters that are known, and how often each may stand in a row."""


@dataclass(frozen=True, slots=True)
class Letters:
    """A field: the letter and how often it stands."""

    letter: str
    count: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text that stands for itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """`[…]`: left out when reading a text that has it not."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Padded:
    """`pp…`: the next field filled up with blanks."""

    width: int
    part: Letters


Part: TypeAlias = Letters | Quoted | Section | Padded


@lru_cache(maxsize=256)
def read_pattern(pattern: str) -> tuple[Part, ...]:
    """The parts of a pattern; raises `Fault` with Java's text."""
    if len(pattern) > _LONGEST:
        raise Fault(f"A date pattern of more than {_LONGEST} characters is refused")
    reader = _Reader(pattern)
    parts = reader.parts(depth=0)
    if reader.rest():
        raise Fault("Pattern invalid as it contains ] without previous [")
    return parts


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def rest(self) -> str:
        return self._pattern[self._at :]

    def parts(self, depth: int) -> tuple[Part, ...]:
        found: list[Part] = []
        while self._at < len(self._pattern):
            mark = self._pattern[self._at]
            if mark == "]":
                self._at += depth > 0
                break
            found.append(self._part(mark, depth))
        return tuple(found)

    def _part(self, mark: str, depth: int) -> Part:
        if mark.isascii() and mark.isalpha():
            return self._padded() if mark == "p" else self._letters()
        self._at += 1
        if mark == "'":
            return self._quoted()
        if mark == "[":
            if depth == 10:  # nobody nests more
                raise Fault("Pattern nests too many optional sections")
            return Section(self.parts(depth + 1))
        if mark in "{}#":
            raise Fault(f"Pattern includes reserved character: '{mark}'")
        return Quoted(mark)

    def _run(self) -> int:
        start, letter = self._at, self._pattern[self._at]
        while self._pattern.startswith(letter, self._at):
            self._at += 1
        return self._at - start

    def _letters(self) -> Letters:
        letter = self._pattern[self._at]
        count = self._run()
        most = _MOST.get(letter)
        if most is None:
            raise Fault(f"Unknown pattern letter: {letter}")
        if count > most:
            raise Fault(f"Too many pattern letters: {letter}")
        if (letter == "V" and count != 2) or (letter == "O" and count not in (1, 4)):
            allowed = "2: V" if letter == "V" else "1 or 4: O"
            raise Fault(f"Pattern letter count must be {allowed}")
        return Letters(letter, count)

    def _padded(self) -> Padded:
        width = self._run()
        following = self._pattern[self._at : self._at + 1]
        if not following.isalpha() or following == "p":
            raise Fault(f"Pad letter 'p' must be followed by valid pad pattern: {self._pattern}")
        return Padded(width, self._letters())

    def _quoted(self) -> Quoted:
        start = self._at
        while self._at < len(self._pattern):
            if self._pattern[self._at] == "'":
                if not self._pattern.startswith("''", self._at):
                    break
                self._at += 1
            self._at += 1
        else:
            raise Fault(f"Pattern ends with an incomplete string literal: {self._pattern}")
        text = self._pattern[start : self._at]
        self._at += 1
        return Quoted(text.replace("''", "'") or "'")
