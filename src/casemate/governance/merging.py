"""Two maps made one (spec/isolation 3.4, 4.2): a default fills what is missing, a forced one replaces what is there."""

from __future__ import annotations

from dataclasses import replace

from casemate.documents import Entry, Mapping, Node, Scalar, Sequence
from casemate.governance.matching import Types
from casemate.governance.places import as_map, type_of


def filled(node: Mapping, values: Mapping, *, joins: bool) -> Mapping:
    """The map with the values that it lacks; maps in it likewise. `joins`: lists of both are put together."""
    entries = {entry.key: entry for entry in node.entries}
    for entry in values.entries:
        own = entries.get(entry.key)
        entries[entry.key] = entry if own is None else _filled(own, entry, joins=joins)
    return replace(node, entries=tuple(entries.values()))


def _filled(own: Entry, given: Entry, *, joins: bool) -> Entry:
    if isinstance(own.value, Scalar) and own.value.value is None:  # a null never overrides
        return given
    if joins and isinstance(own.value, Sequence) and isinstance(given.value, Sequence):
        return replace(own, value=Sequence((*given.value.items, *own.value.items), own.value.mark))
    inner = as_map(own.value)
    if inner is not None and isinstance(given.value, Mapping):
        return replace(own, value=filled(inner, given.value, joins=joins))
    return own


def overlaid(node: Mapping, values: Mapping, types: Types) -> Mapping:
    """The map with these values in place of its own; maps are merged, lists replaced, and a null removes.

    An object whose type is replaced by another keeps nothing: its options were meant for the type that it had.
    """
    entries = {entry.key: entry for entry in node.entries}
    for entry in values.entries:
        own = entries.get(entry.key)
        if isinstance(entry.value, Scalar) and entry.value.value is None:
            entries.pop(entry.key, None)
        else:
            entries[entry.key] = replace(entry, value=_overlaid(own, entry.value, types))
    return replace(node, entries=tuple(entries.values()))


def _overlaid(own: Entry | None, given: Node, types: Types) -> Node:
    if not isinstance(given, Mapping):
        return given
    inner = as_map(own.value) if own is not None else None
    if inner is None or _is_another(inner, given, types):
        inner = Mapping((), given.mark)
    return overlaid(inner, given, types)


def _is_another(own: Mapping, given: Mapping, types: Types) -> bool:
    before, after = type_of(own), type_of(given)
    return before is not None and after is not None and after not in types.names(before)
