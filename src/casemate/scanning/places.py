"""Every property and item of a document as a place, and where in the text a piece of a value stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from collections.abc import Sequence as AnySequence
from functools import lru_cache
from typing import Final

from casemate.documents import Mapping, Mark, Node, Path, Scalar, Sequence
from casemate.scanning.globs import steps_of
from casemate.scanning.model import Place, Span

_QUOTES: Final = ("'", '"')


def places(root: Node) -> Iterator[Place]:
    """All places below the root, parents first, in the order written."""
    waiting = [*_below(root, (), "")]
    waiting.reverse()
    while waiting:
        place = waiting.pop()
        yield place
        waiting += reversed([*_below(place.node, place.path, place.kind)])


def _below(node: Node, path: Path, kind: str) -> Iterator[Place]:
    match node:
        case Mapping(entries=entries):
            kind = _type_of(node) or kind
            for entry in entries:
                yield _place((*path, entry.key), entry.value, entry.mark, kind, node)
        case Sequence(items=items):
            for index, item in enumerate(items):
                yield _place((*path, index), item, item.mark, kind, None)


def _place(path: Path, node: Node, mark: Mark, kind: str, siblings: Mapping | None) -> Place:
    return Place(path=path, steps=steps_of(path), node=node, mark=mark, kind=kind, siblings=siblings)


def _type_of(node: Mapping) -> str:
    entry = node.entry("type")
    return entry.value.text if entry is not None and isinstance(entry.value, Scalar) else ""


def place_of(span: Span, node: Node, lines: AnySequence[str]) -> Mark:
    """Where a piece of a node's value stands in the lines of its text; the begin of the node if it cannot be told."""
    if not isinstance(node, Scalar) or node.mark.line > len(lines):
        return node.mark
    piece = node.text[span.begin : span.end].split("\n", 1)[0]
    line, at = lines[node.mark.line - 1], node.mark.column - 1
    match line[at : at + 1]:
        case "|":
            return _in_block(span, node, lines)
        case ">":
            return _in_folded(piece, node, lines)
        case style:
            exact = at + span.begin + (style in _QUOTES)
    found = exact if piece and line.startswith(piece, exact) else line.find(piece, at) if piece else -1
    return node.mark if found < 0 else Mark(node.mark.line, found + 1)


def _in_block(span: Span, node: Scalar, lines: AnySequence[str]) -> Mark:
    """The lines of a literal block are those of the text, moved to the right."""
    starts = _starts(node.text)
    row = bisect_right(starts, span.begin) - 1
    line, own = node.mark.line + 1 + row, node.text[starts[row] : starts[row + 1] - 1]
    if line > len(lines) or not lines[line - 1].endswith(own):
        return node.mark
    return Mark(line, len(lines[line - 1]) - len(own) + span.begin - starts[row] + 1)


@lru_cache(maxsize=2)
def _starts(text: str) -> tuple[int, ...]:
    """Where each line begins, and where one more would; a text may have thousands of findings."""
    return (0, *(found.end() for found in re.finditer("\n", text)), len(text) + 1)


def _in_folded(piece: str, node: Scalar, lines: AnySequence[str]) -> Mark:
    """The first line of the block that holds the piece."""
    for line in range(node.mark.line + 1, len(lines) + 1):
        text = lines[line - 1]
        if text.strip() and not text.startswith(" "):
            break
        if piece and piece in text:
            return Mark(line, text.index(piece) + 1)
    return node.mark
