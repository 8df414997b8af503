"""Plugin defaults as rules: `{type, values, forced, ref}` becomes an `Add` (spec/isolation 3, 4.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from casemate.documents import Mapping, Mark, Node, Plain, Scalar, Sequence, node_of, plain
from casemate.governance.laws import FLOW_DEPTH, Law
from casemate.governance.model import Add, Where
from casemate.governance.words import Operator, Scope, Target

DECLARED = ("pluginDefaults", "taskDefaults")
"""Where a flow declares its own."""

_NOWHERE = Mark(1, 1)


def configured(name: str, entries: Iterable[Plain]) -> tuple[Law, ...]:
    """The plugin defaults of a key of the configuration, which are to be checked already."""
    nodes = (node_of(entry, _NOWHERE) for entry in entries)
    found = (_law(node, f"{name}[{index}]", Scope.STATIC, 0) for index, node in enumerate(nodes))
    return tuple(law for law in found if law is not None)


def declared(root: Node) -> tuple[Law, ...]:
    """Those that a flow declares; what is wrong with the others is told when the flow is read."""
    lists = [root.entry(name) for name in DECLARED] if isinstance(root, Mapping) else []
    return tuple(law for entry in lists if entry is not None for law in _of(entry.key, entry.value))


def _of(name: str, node: Node) -> Iterator[Law]:
    for index, item in enumerate(node.items if isinstance(node, Sequence) else ()):
        law = _law(item, f"{name}[{index}]", None, FLOW_DEPTH)
        if law is not None:
            yield law


def _law(entry: Node, name: str, scope: Scope | None, depth: int) -> Law | None:
    parts = {each.key: each.value for each in entry.entries} if isinstance(entry, Mapping) else {}
    kind, values, forced, ref = (parts.get(key) for key in ("type", "values", "forced", "ref"))
    if not isinstance(kind, Scalar) or not kind.text or not isinstance(values, Mapping) or not values.entries:
        return None
    forcing = isinstance(forced, Scalar) and forced.value is True
    given = values if forcing else _without_nulls(values)
    if not given.entries:
        return None
    shown = plain(given)
    assert isinstance(shown, dict)
    return Law(
        rule=Add(
            on=Target.PLUGIN,
            where=(Where(field="type", operator=Operator.STARTS_WITH, value=kind.text),),
            values=shown,
            override=forcing,
        ),
        policy=name,
        number=1,
        scope=scope,
        depth=depth,
        default=True,
        ref=ref.text if isinstance(ref, Scalar) else "",
        node=given if scope is None else None,
    )


def _without_nulls(values: Mapping) -> Mapping:
    kept = (each for each in values.entries if not (isinstance(each.value, Scalar) and each.value.value is None))
    return Mapping(tuple(kept), values.mark)
