"""Where in the lines of a document the pieces of a value stand that rules point at."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence as AnySequence
from functools import cached_property
from typing import Final

from casemate.documents import Mark, Node, Scalar
from casemate.scanning.model import Span

_QUOTES: Final = ("'", '"')


class Locator:
    """Places the pieces of one node's value. A value may hold thousands, so what they share is worked out once."""

    def __init__(self, node: Node, lines: AnySequence[str]) -> None:
        self._node = node
        self._lines = lines
        self._lost = False

    def mark(self, span: Span) -> Mark:
        """Where the piece begins; where the node does if that cannot be told."""
        node = self._node
        if not isinstance(node, Scalar) or node.mark.line > len(self._lines):
            return node.mark
        match self._lines[node.mark.line - 1][node.mark.column - 1 : node.mark.column]:
            case "|" | ">":
                return self._in_block(span, node)
            case style:
                return self._in_line(span, node, style in _QUOTES)

    def _in_line(self, span: Span, node: Scalar, quoted: bool) -> Mark:
        line, at = self._lines[node.mark.line - 1], node.mark.column - 1 + span.begin + quoted
        piece = node.text[span.begin : span.end].split("\n", 1)[0]
        if piece and line.startswith(piece, at):
            return Mark(node.mark.line, at + 1)
        # Escapes are longer than what they stand for, never shorter. Who has searched to the end in vain stops there.
        found = -1 if self._lost or not piece else line.find(piece, node.mark.column - 1)
        self._lost = self._lost or found < 0 or found > at + _FAR
        return node.mark if found < 0 else Mark(node.mark.line, found + 1)

    def _in_block(self, span: Span, node: Scalar) -> Mark:
        """The line of the block whose beginning is the last one before the piece."""
        begins, places = self._block
        row = bisect_right(begins, span.begin) - 1
        if row < 0:
            return node.mark
        place = places[row]
        return Mark(place.line, place.column + span.begin - begins[row])

    @cached_property
    def _block(self) -> tuple[list[int], list[Mark]]:
        """Where in the value each line of the block begins, and where in the document that is."""
        node, begins, places, at = self._node, list[int](), list[Mark](), 0
        text = node.text if isinstance(node, Scalar) else ""
        for number in range(node.mark.line, len(self._lines)):
            words = self._lines[number].strip()
            if not words:
                continue
            if not text.startswith(words, at := _skipped(text, at)):
                break
            begins.append(at)
            places.append(Mark(number + 1, self._lines[number].index(words) + 1))
            at += len(words)
        return begins, places


_FAR: Final = 4096
_BLANKS: Final = re.compile(r"\s*")


def _skipped(text: str, at: int) -> int:
    """Behind the blanks that begin there."""
    found = _BLANKS.match(text, at)
    return found.end() if found else at
