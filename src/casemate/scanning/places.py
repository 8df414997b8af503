"""Every property and item of a document as a place."""

from __future__ import annotations

from collections.abc import Iterator

from casemate.documents import Mapping, Mark, Node, Scalar, Sequence
from casemate.scanning.globs import below
from casemate.scanning.model import Place


def places(root: Node) -> Iterator[Place]:
    """All places below the root, parents first, in the order written."""
    whole = Place(
        key="", steps="", node=root, mark=root.mark, kind="", siblings=None, lines=frozenset((root.mark.line,))
    )
    # Only those on the way are held: a flow may have as many places as characters.
    levels = [_below(whole)]
    while levels:
        place = next(levels[-1], None)
        if place is None:
            levels.pop()
        else:
            yield place
            levels.append(_below(place))


def _below(parent: Place) -> Iterator[Place]:
    match parent.node:
        case Mapping(entries=entries) as node:
            kind = _type_of(node) or parent.kind
            for entry in entries:
                yield _place(parent, entry.key, entry.value, entry.mark, kind, node)
        case Sequence(items=items):
            for index, item in enumerate(items):
                yield _place(parent, index, item, item.mark, parent.kind, None)


def _place(parent: Place, key: str | int, node: Node, mark: Mark, kind: str, siblings: Mapping | None) -> Place:
    lines = parent.lines if mark.line in parent.lines else parent.lines | {mark.line}
    steps = below(parent.steps, key)
    return Place(key=key, steps=steps, node=node, mark=mark, kind=kind, siblings=siblings, lines=lines)


def _type_of(node: Mapping) -> str:
    entry = node.entry("type")
    return entry.value.text if entry is not None and isinstance(entry.value, Scalar) else ""
