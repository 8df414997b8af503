"""Every property and item of a document as a place, and where in the text a piece of a value stands."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as AnySequence
from typing import Final

from casemate.documents import Mapping, Mark, Node, Path, Scalar, Sequence
from casemate.scanning.globs import steps_of
from casemate.scanning.model import Place, Span

_BLOCK: Final = ("|", ">")


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
    header = lines[node.mark.line - 1][node.mark.column - 1 :]
    if header.startswith("|"):
        return _in_block(span, node, lines)
    if header.startswith(">"):
        return _in_folded(piece, node, lines)
    before = node.text[: span.begin].count(piece) if piece else 0
    found = _nth(header, piece, before)
    return node.mark if found is None else Mark(node.mark.line, node.mark.column + found)


def _in_block(span: Span, node: Scalar, lines: AnySequence[str]) -> Mark:
    """The lines of a literal block are those of the text, moved to the right."""
    before = node.text[: span.begin]
    row = before.count("\n")
    line, own = node.mark.line + 1 + row, node.text.split("\n")[row]
    if line > len(lines) or not lines[line - 1].endswith(own):
        return node.mark
    indent = len(lines[line - 1]) - len(own)
    return Mark(line, indent + span.begin - before.rfind("\n"))


def _in_folded(piece: str, node: Scalar, lines: AnySequence[str]) -> Mark:
    """The first line of the block that holds the piece."""
    for line in range(node.mark.line + 1, len(lines) + 1):
        text = lines[line - 1]
        if text.strip() and not text.startswith(" "):
            break
        if piece and piece in text:
            return Mark(line, text.index(piece) + 1)
    return node.mark


def _nth(text: str, piece: str, times: int) -> int | None:
    """Where a piece stands after so many others like it."""
    at = text.find(piece) if piece else -1
    while at >= 0 and times:
        at, times = text.find(piece, at + 1), times - 1
    return at if at >= 0 else None
