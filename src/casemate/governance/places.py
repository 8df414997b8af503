"""Properties by their paths: `taskRunner.privileged` in a tree that remembers its places.

A list of `{key, value}`, another way to write labels, is gone through like a map.
"""

from __future__ import annotations

from dataclasses import replace

from casemate.documents import Entry, Mapping, Node, Scalar, Sequence


def find(node: Node, path: str) -> Node | None:
    """The value of a property; None where there is none, and for null. Keys may hold dots themselves."""
    found: Node | None = node
    steps = path.split(".")
    while steps and found is not None:
        found, steps = _step(found, steps)
    return None if isinstance(found, Scalar) and found.value is None else found


def _step(node: Node, steps: list[str]) -> tuple[Node | None, list[str]]:
    """The value of the longest key that the path begins with, and the rest of the path."""
    known = as_map(node)
    for length in range(len(steps), 0, -1):
        if known is not None and (entry := known.entry(".".join(steps[:length]))) is not None:
            return entry.value, steps[length:]
    return None, []


def without(node: Mapping, path: str) -> Mapping:
    """The same without that property."""
    steps = path.split(".")
    for length in range(len(steps), 0, -1):
        key, rest = ".".join(steps[:length]), ".".join(steps[length:])
        entry = node.entry(key)
        if entry is None:
            continue
        if not rest:
            return replace(node, entries=tuple(each for each in node.entries if each is not entry))
        inner = as_map(entry.value)
        return node if inner is None else with_entry(node, replace(entry, value=without(inner, rest)))
    return node


def with_entry(node: Mapping, entry: Entry) -> Mapping:
    """The same with that entry, in the place of the one with its key, or last."""
    if node.entry(entry.key) is None:
        return replace(node, entries=(*node.entries, entry))
    return replace(node, entries=tuple(entry if each.key == entry.key else each for each in node.entries))


def as_map(node: Node) -> Mapping | None:
    """A map as it is, and a list of `{key, value}` as one; nothing else is one."""
    if isinstance(node, Mapping):
        return node
    items = node.items if isinstance(node, Sequence) else ()
    entries = [_pair(item) for item in items]
    return Mapping(tuple(each for each in entries if each is not None), node.mark) if entries and all(entries) else None


def _pair(node: Node) -> Entry | None:
    if not isinstance(node, Mapping) or {entry.key for entry in node.entries} != {"key", "value"}:
        return None
    key, value = node.entry("key"), node.entry("value")
    assert key is not None
    assert value is not None
    return Entry(key.value.text, key.value.mark, value.value) if isinstance(key.value, Scalar) else None


def type_of(node: Node) -> str | None:
    """The text behind `type`, if the node is a map that has one."""
    entry = node.entry("type") if isinstance(node, Mapping) else None
    return entry.value.text if entry is not None and isinstance(entry.value, Scalar) and entry.value.text else None
