"""Finding many texts in one: places that overlap or touch are one place.

RE2 looks for the heads of all of them at once, in a time that does not grow with their number; at each head the texts
that begin so are compared. (An alternation of the whole texts is more than RE2's automaton holds from a hundred secrets
on, and Python's `re` tries one after the other.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import re2

_HEAD: Final = 6
"""Bytes: longer ones make the automaton large, shorter ones stand in every text."""
_MEMORY: Final = 8 << 20
_MEMORY_EACH: Final = 512
"""What RE2 may use for each byte of its pattern, for its program and for the states that texts lead to."""
_KNOWN: Final = 48
"""Bytes after which a text that goes on in another way is the begin of a secret all the same."""
_MOST: Final = 50_000
"""Heads in one text, beyond which all the rest is a place: a text made of nothing else must not take forever."""


class Search:
    """Looks for texts, given as UTF-8."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._texts = sorted(texts)
        self._by_head: dict[bytes, list[bytes]] = defaultdict(list)
        for text in self._texts:
            self._by_head[text[:_HEAD]].append(text)
        self._lengths = sorted({len(head) for head in self._by_head})
        self._pattern = _compiled(self._by_head)

    def spans(self, content: bytes, *, cut: bool = False) -> list[tuple[int, int]]:
        """The places of all of them; of a text that was `cut` the begin of one at its end is a place, too."""
        found: list[tuple[int, int]] = []
        match, heads = self._pattern.search(content), 0
        while match is not None:
            begin = match.start()
            end = self._end(content, begin) if heads < _MOST else len(content)
            if end > begin:
                _join(found, begin, end)
            if end == len(content):
                break
            # Another one may begin within this one.
            match, heads = self._pattern.search(content, begin + 1), heads + 1
        if cut and (tail := self._tail(content)):
            _join(found, len(content) - tail, len(content))
        return found

    def _end(self, content: bytes, begin: int) -> int:
        """Where the longest text ends that begins there; `begin` if there is none."""
        heads = (content[begin : begin + length] for length in self._lengths)
        return begin + max(_common(content, begin, text) for head in heads for text in self._by_head.get(head, ()))

    def _tail(self, content: bytes) -> int:
        """How many of the last bytes are the begin of one of them."""
        for length in range(min(_KNOWN, len(content)), 0, -1):
            last = content[-length:]
            place = bisect_left(self._texts, last)
            if place < len(self._texts) and self._texts[place].startswith(last):
                return length
        return 0


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


def _common(content: bytes, begin: int, text: bytes) -> int:
    """How many bytes of the text stand there: all of them, so many that they are known, or else none."""
    if content.startswith(text, begin):
        return len(text)
    if len(text) <= _KNOWN or not content.startswith(text[:_KNOWN], begin):
        return 0
    pairs = zip(content[begin : begin + len(text)], text, strict=False)
    return next((place for place, (ours, theirs) in enumerate(pairs) if ours != theirs), len(content) - begin)


def _join(found: list[tuple[int, int]], begin: int, end: int) -> None:
    while found and begin <= found[-1][1]:
        before = found.pop()
        begin, end = min(begin, before[0]), max(end, before[1])
    found.append((begin, end))
