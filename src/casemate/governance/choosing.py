"""Which rules change an object: those whose conditions hold, those it refers to, those that hold once others did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from casemate.documents import Mapping, Scalar, plain
from casemate.documents import Sequence as List
from casemate.governance.laws import Law, fillers, overriders
from casemate.governance.legacy import modern, whole
from casemate.governance.matching import Types, holds
from casemate.governance.merging import filled, overlaid
from casemate.governance.model import Delete
from casemate.governance.places import without
from casemate.governance.sieve import Sieve, is_of_type

REFS = "policyRefs"
NAMED = "pluginDefaultsRef"


@dataclass(frozen=True, slots=True)
class Around:
    """What an object inherits from those it stands in: the policies referred to, and the rules that brought it in.

    A rule is not applied to what it has brought in itself, for that would have no end.
    """

    refs: frozenset[str] = frozenset()
    done: frozenset[int] = frozenset()
    root: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The object as the rules leave it, and these rules."""

    node: Mapping
    laws: tuple[Law, ...] = ()
    refs: frozenset[str] = frozenset()
    ignored: str = ""
    """The name of a default that is referred to and not used, because a forced one takes its place."""
    around: Around = field(default_factory=Around)

    def below(self, key: str) -> Around:
        """What holds behind one of its keys."""
        brought = {law.order for law in self.laws if key in getattr(law.rule, "values", ())}
        return Around(self.refs, self.around.done | brought)


def choose(node: Mapping, around: Around, laws: Sieve) -> Choice:
    """The rules for an object, and the object with them applied. Raises `Unable`.

    A rule that holds keeps holding: rules are added, in rounds, until none more holds for what they make of the
    object. So the end does not depend on the order in which they are looked at, and there is always one.
    """
    chosen: dict[int, Law] = {}
    now, refs = node, around.refs
    while True:
        refs |= references(now)
        seen = whole(now, laws.types)
        meant = (law for law in laws.of(seen, root=around.root) if law.order not in chosen)
        more = {law.order: law for law in meant if _is_meant(law, seen, around, refs, laws)}
        if not more:
            used, ignored = _picked(chosen.values(), now)
            return Choice(now, used, refs, ignored, around)
        chosen |= more
        laws.effort.spend(sum(_weight(law) for law in chosen.values()))
        now = applied(node, _picked(chosen.values(), now)[0], laws.types)


def _is_meant(law: Law, node: Mapping, around: Around, refs: frozenset[str], laws: Sieve) -> bool:
    if law.order in around.done or (law.called and law.policy not in refs) or law.advisory:
        return False
    if law.ref and law.ref != named_default(node):
        return False
    return all(holds(each, node, laws.types, laws.effort) for each in law.rule.where if not is_of_type(each))


def _weight(law: Law) -> int:
    """How much there is to do for it."""
    return len(law.rule.properties) if isinstance(law.rule, Delete) else 1


def references(node: Mapping) -> frozenset[str]:
    """The policies that an object refers to."""
    entry = node.entry(REFS)
    items = entry.value.items if entry is not None and isinstance(entry.value, List) else ()
    return frozenset(item.text for item in items if isinstance(item, Scalar))


def named_default(node: Mapping) -> str | None:
    """The plugin default that an object refers to."""
    entry = node.entry(NAMED)
    value = plain(entry.value) if entry is not None else None
    return value if isinstance(value, str) and value else None


def _picked(laws: Iterable[Law], node: Mapping) -> tuple[tuple[Law, ...], str]:
    """The rules that are used, and the named default that is not (spec/isolation 3.6).

    A forced default for the type takes over completely; else a named one stands in for those that only fill.
    """
    found = tuple(laws)
    name = named_default(node)
    mine = [law for law in found if law.ref]
    if name is None:
        return found, ""
    if any(law.default and law.overrides and not law.ref for law in found):
        return tuple(law for law in found if not law.ref), name
    first = next(iter((*overriders(mine), *fillers(mine))), None)
    others = tuple(law for law in found if not law.default)
    return (found, "") if first is None else ((*others, first), "")


def applied(node: Mapping, laws: Sequence[Law], types: Types) -> Mapping:
    """The object with these rules applied to it: what must be is put in place, the rest filled in, then cut.

    What must be comes once more at the end: it replaces what was filled in, and takes away what it removes. Each may
    name a runner in an older way, which would go before the one that must be.
    """
    node = _overlaid(node, laws, types)
    for law in fillers(laws):
        node = modern(filled(node, law.values_at(node.mark), joins=law.default), types)
    for rule in (law.rule for law in laws):
        for name in rule.properties if isinstance(rule, Delete) else ():
            node = without(node, name)
    return replace(_overlaid(node, laws, types), mark=node.mark)


def _overlaid(node: Mapping, laws: Sequence[Law], types: Types) -> Mapping:
    """The most important rule is applied last."""
    for law in reversed(overriders(laws)):
        node = modern(overlaid(node, law.values_at(node.mark), types), types)
    return node
