"""What rules have changed in an object, and which of them wrote each change last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from itertools import chain
from typing import Literal, TypeAlias

from casemate.documents import Mapping, Node, Path, Plain, plain
from casemate.governance.laws import Law, fillers, overriders
from casemate.governance.model import Add, Delete
from casemate.governance.outcome import Mutation
from casemate.governance.places import as_map

Laws: TypeAlias = tuple[Sequence[Law], Sequence[Law]]
"""Those that delete, and those that add, the most important first."""
Keys: TypeAlias = tuple[str, ...]


def between(before: Mapping, after: Mapping, laws: Sequence[Law], path: Path) -> Iterator[Mutation]:
    """Every property that is there only now, no more, or with another value; maps are gone through."""
    if laws and before != after:
        deleting = [law for law in laws if isinstance(law.rule, Delete)]
        yield from _between(before, after, (deleting, [*overriders(laws), *fillers(laws)]), path, ())


def _between(before: Mapping, after: Mapping, laws: Laws, path: Path, at: Keys) -> Iterator[Mutation]:
    old, new = ({entry.key: entry.value for entry in node.entries} for node in (before, after))
    for key in {**old, **new}:
        yield from _change(old.get(key), new.get(key), laws, path, (*at, key))


def _change(old: Node | None, new: Node | None, laws: Laws, path: Path, at: Keys) -> Iterator[Mutation]:
    was, now = (None if node is None else plain(node) for node in (old, new))
    if was == now:
        return
    inner = as_map(old) if old is not None else None
    if inner is not None and isinstance(new, Mapping):
        yield from _between(inner, new, laws, path, at)
        return
    law = _writer(laws, at, removed=now is None)
    if law is not None:
        yield Mutation(action=_action(was, now), path=(*path, *at), law=law, value=now, previous=was)


def _action(was: Plain, now: Plain) -> Literal["ADDED", "REPLACED", "REMOVED"]:
    if was is None:
        return "ADDED"
    return "REMOVED" if now is None else "REPLACED"


def _writer(laws: Laws, at: Keys, *, removed: bool) -> Law | None:
    """The rule that a property has its value of, or has none any more."""
    deleting = (law for law in laws[0] if isinstance(law.rule, Delete) and _deletes(law.rule, at))
    adding = (law for law in laws[1] if _adds(law, at))
    return next(chain(deleting, adding) if removed else adding, None)


def _deletes(rule: Delete, at: Keys) -> bool:
    name = ".".join(at)
    return any(name == each or name.startswith(f"{each}.") for each in rule.properties)


def _adds(law: Law, at: Keys) -> bool:
    assert isinstance(law.rule, Add)
    node: object = law.rule.values
    for key in at:
        if not isinstance(node, AnyMapping):
            return True  # it has replaced all that was above
        if key not in node:
            return False
        node = node[key]
    return True
