"""Every property and item of a document as a place."""

from __future__ import annotations

from collections.abc import Iterator

from casemate.documents import Mapping, Mark, Node, Path, Scalar, Sequence
from casemate.scanning.globs import steps_of
from casemate.scanning.model import Place


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
