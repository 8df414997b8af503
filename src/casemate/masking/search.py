"""Finding many texts in one: places that overlap or touch are one place.

RE2 looks for the heads of all of them at once, in a time that does not grow with their number; at each head the two
neighbours of what stands there are looked at, among the texts in their order. (An alternation of the whole texts is
more than RE2's automaton holds from a hundred secrets on, and Python's `re` tries one after the other.)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import re2

_HEAD: Final = 6
"""Bytes: longer ones make the automaton large, shorter ones stand in every text."""
_MEMORY: Final = 8 << 20
_MEMORY_EACH: Final = 512
"""What RE2 may use for each byte of its pattern, for its program and for the states that texts lead to."""
_KNOWN: Final = 48
"""Bytes after which a text that goes on in another way is the begin of a secret all the same."""
_NEAR: Final = 256
"""Bytes that are compared at first: most texts are no longer, or differ sooner."""
_MOST: Final = 4_000
_EACH: Final = 64
"""Heads in one text, and one more for so many of its bytes, beyond which all the rest is a place."""
_COMPARED: Final = 1 << 26
"""Bytes of long texts compared in one: a text made to be compared forever is a place from there on, too."""


class Search:
    """Looks for texts, given as UTF-8."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self.texts: Final = sorted(set(texts))
        self._longest = max(map(len, self.texts))
        self._pattern = _compiled({text[:_HEAD] for text in self.texts})

    def spans(self, content: bytes, *, cut: bool = False) -> list[tuple[int, int]]:
        """The places of all of them; of a text that was `cut` the begin of one at its end is a place, too."""
        found: list[tuple[int, int]] = []
        most, compared = _MOST + len(content) // _EACH, 0
        for heads, begin in enumerate(self._heads(content)):
            end, cost = self._end(content, begin)
            compared += cost
            if heads >= most or compared > _COMPARED:
                end = len(content)
            if end > begin:
                _join(found, begin, end)
            if end == len(content):
                break
        if cut and (tail := self._tail(content)):
            _join(found, len(content) - tail, len(content))
        return found

    def _heads(self, content: bytes) -> Iterator[int]:
        match = self._pattern.search(content)
        while match is not None:
            yield match.start()
            # Another one may begin within this one.
            match = self._pattern.search(content, match.start() + 1)

    def _end(self, content: bytes, begin: int) -> tuple[int, int]:
        """Where the longest text ends that begins there, `begin` if there is none; and what it cost, in bytes."""
        near = content[begin : begin + _NEAR]
        length = self._length(near)
        if length < _NEAR:
            return begin + length, 0
        far = content[begin : begin + self._longest]
        return begin + self._length(far), len(far)

    def _length(self, there: bytes) -> int:
        """How many of these bytes are a place: all of a text, or so many of one that it is known."""
        place = bisect_right(self.texts, there)
        common = max(_common(there, text) for text in self.texts[max(place - 1, 0) : place + 1])
        return common if common >= _KNOWN else self._whole(there[:common])

    def _whole(self, there: bytes) -> int:
        """The length of the longest text that these bytes begin with."""
        while place := bisect_right(self.texts, there):
            nearest = self.texts[place - 1]
            common = _common(there, nearest)
            if common == len(nearest):
                return common
            there = there[:common]
        return 0

    def _tail(self, content: bytes) -> int:
        """How many of the last bytes are the begin of one of them."""
        for length in range(min(_KNOWN, len(content)), 0, -1):
            last = content[-length:]
            place = bisect_right(self.texts, last)
            if any(text.startswith(last) for text in self.texts[max(place - 1, 0) : place + 1]):
                return length
        return 0


def joined(several: Sequence[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """The places that several searches found in one text."""
    if len(several) == 1:
        return several[0]
    found: list[tuple[int, int]] = []
    for begin, end in sorted(place for places in several for place in places):
        _join(found, begin, end)
    return found


def _compiled(heads: Iterable[bytes]) -> Any:
    written = [re2.escape(head) for head in heads]
    options = re2.Options()
    # A head may end in the middle of a character.
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = _MEMORY + _MEMORY_EACH * sum(map(len, written))
    try:
        return re2.compile(b"|".join(written), options)
    finally:
        re2.purge()  # it remembers patterns, and these are made of secrets that end with their attempt


def _common(one: bytes, other: bytes) -> int:
    """How many bytes they have in common at their begin."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        half = (least + most + 1) // 2
        if one[least:half] == other[least:half]:
            least = half
        else:
            most = half - 1
    return least


def _join(found: list[tuple[int, int]], begin: int, end: int) -> None:
    while found and begin <= found[-1][1]:
        before = found.pop()
        begin, end = min(begin, before[0]), max(end, before[1])
    found.append((begin, end))
