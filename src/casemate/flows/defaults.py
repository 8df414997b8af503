"""Plugin defaults: properties that a flow, or the configuration, gives to every object of a type (spec/engine 10).

They are merged into the tree before it is read, each value keeping the place where it was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from casemate.catalog import Catalog
from casemate.documents import MAX_NODES, Document, Entry, Mapping, Mark, Node, Plain, Scalar, Sequence, node_of, plain

Values: TypeAlias = AnyMapping[str, Plain]

_DECLARED: Final = ("pluginDefaults", "taskDefaults")


@dataclass(frozen=True, slots=True)
class _Default:
    """One entry: the values for a type, or for every type whose name begins so. `own`: written in the flow itself."""

    type: str
    values: Mapping
    forced: bool
    own: bool

    def values_at(self, mark: Mark) -> Mapping:
        """The values as entries of an object at this place, where a mistake of the server's is to be told."""
        node = self.values if self.own else node_of(plain(self.values), mark)
        assert isinstance(node, Mapping)
        return node


def has_defaults(document: Document, catalog: Catalog) -> bool:
    """The flow declares plugin defaults of its own, or the installation has some."""
    return bool(_declared(document.root) or catalog.defaults)


def with_defaults(document: Document, catalog: Catalog) -> Document:
    """The document with every default in place: read it with `lenient`, as Kestra does.

    The flow's own entries come first, then the catalog's. Forced ones come last, so that they reach what the others
    have brought in too.
    """
    defaults = _all(document, catalog)
    if not defaults or not isinstance(document.root, Mapping):
        return document
    root = document.root
    for forced in (False, True):
        root = _filled_root(root, [default for default in defaults if default.forced is forced], catalog)
    return replace(document, root=root)


def _filled_root(root: Mapping, defaults: list[_Default], catalog: Catalog) -> Mapping:
    filled = tuple(
        entry if entry.key in _DECLARED else replace(entry, value=_filled(entry.value, defaults, catalog))
        for entry in root.entries
    )
    return replace(root, entries=filled)


def completed(document: Document, given: Iterable[Values], catalog: Catalog) -> Document | None:
    """The document of a single object with these defaults in place, the more important ones first.

    None if they would add more than a document may have.
    """
    defaults = _entries((node_of(dict(entry), document.root.mark) for entry in given), own=False)
    if _added(defaults, document.root, catalog) > MAX_NODES:
        return None
    root = document.root
    for forced in (False, True):
        root = _filled(root, [default for default in defaults if default.forced is forced], catalog)
    return replace(document, root=root)


def added_values(document: Document, catalog: Catalog) -> int:
    """How many values the defaults would add: a few large ones for thousands of tasks fill any memory."""
    return _added(_all(document, catalog), document.root, catalog)


def _added(defaults: list[_Default], root: Node, catalog: Catalog) -> int:
    written = Counter(_types(root))
    brought: Counter[str] = Counter()
    for default, count in _met(defaults, written, catalog):
        brought.update({name: count * often for name, often in Counter(_types(default.values)).items()})
    # The forced ones come last and meet what the others have brought in.
    forced = [default for default in defaults if default.forced]
    met = (*_met(defaults, written, catalog), *_met(forced, brought, catalog))
    return sum(count * _size(default.values) for default, count in met)


def _met(defaults: list[_Default], types: Counter[str], catalog: Catalog) -> Iterator[tuple[_Default, int]]:
    """How many objects of these types each default is for."""
    for default in defaults:
        yield default, sum(count for name, count in types.items() if _matches(default.type, name, catalog))


def _size(node: Node) -> int:
    match node:
        case Mapping(entries=entries):
            return 1 + sum(_size(entry.value) for entry in entries)
        case Sequence(items=items):
            return 1 + sum(_size(item) for item in items)
    return 1


def _types(node: Node) -> Iterator[str]:
    """The type of every object that has one."""
    match node:
        case Mapping(entries=entries):
            for entry in entries:
                if entry.key == "type" and isinstance(entry.value, Scalar):
                    yield entry.value.text
                yield from _types(entry.value)
        case Sequence(items=items):
            for item in items:
                yield from _types(item)


def _all(document: Document, catalog: Catalog) -> list[_Default]:
    nodes = (node_of(dict(entry), document.root.mark) for entry in catalog.defaults)
    return [*_declared(document.root), *_entries(nodes, own=False)]


def _declared(root: Node) -> list[_Default]:
    lists = [root.entry(name) for name in _DECLARED] if isinstance(root, Mapping) else []
    nodes = [entry.value.items for entry in lists if entry is not None and isinstance(entry.value, Sequence)]
    return _entries((node for items in nodes for node in items), own=True)


def _entries(nodes: Iterable[Node], *, own: bool) -> list[_Default]:
    """The entries that can be used; what is wrong with the others is told when the flow is read."""
    found = []
    for node in nodes:
        parts = {entry.key: entry.value for entry in node.entries} if isinstance(node, Mapping) else {}
        name, values, forced = parts.get("type"), parts.get("values"), parts.get("forced")
        if isinstance(name, Scalar) and name.text and isinstance(values, Mapping):
            forcing = isinstance(forced, Scalar) and forced.value is True
            found.append(_Default(name.text, values, forcing, own))
    return found


def _filled(node: Node, defaults: list[_Default], catalog: Catalog) -> Node:
    """The same tree with defaults at every object that has a type, children first."""
    match node:
        case Sequence(items=items):
            return replace(node, items=tuple(_filled(item, defaults, catalog) for item in items))
        case Mapping(entries=entries):
            filled = tuple(replace(entry, value=_filled(entry.value, defaults, catalog)) for entry in entries)
            return _completed(replace(node, entries=filled), defaults, catalog)
    return node


def _completed(node: Mapping, defaults: list[_Default], catalog: Catalog) -> Mapping:
    entry = node.entry("type")
    if entry is None or not isinstance(entry.value, Scalar):
        return node
    matching = [default for default in defaults if _matches(default.type, entry.value.text, catalog)]
    for default in (each for each in matching if not each.forced):
        node = _merged(node, default.values_at(node.mark))
    for default in reversed([each for each in matching if each.forced]):
        node = _merged(default.values_at(node.mark), node)
    return node


def _matches(wanted: str, name: str, catalog: Catalog) -> bool:
    # The true name counts as well as the written one: an alias must be no way around a forced default.
    canonical = catalog.canonical(name)
    return name.startswith(wanted) or canonical.startswith(wanted) or canonical == catalog.canonical(wanted)


def _merged(strong: Mapping, weak: Mapping) -> Mapping:
    """Both maps in one; where both say something the strong one counts, maps are merged and lists are joined."""
    entries = {entry.key: entry for entry in weak.entries}
    for entry in strong.entries:
        before = entries.get(entry.key)
        entries[entry.key] = entry if before is None else _stronger(entry, before)
    return Mapping(tuple(entries.values()), strong.mark)


def _stronger(strong: Entry, weak: Entry) -> Entry:
    match strong.value, weak.value:
        case Mapping() as above, Mapping() as below:
            return replace(strong, value=_merged(above, below))
        case Sequence(items=above), Sequence(items=below):
            return replace(strong, value=Sequence((*below, *above), strong.value.mark))
        case Scalar(value=None), _:  # a null never overrides
            return weak
    return strong
