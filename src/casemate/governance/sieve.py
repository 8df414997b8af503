"""Which rules may mean an object at all: worked out once for each type, for flows have many tasks of a few types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from casemate.documents import Mapping
from casemate.governance.effort import Effort
from casemate.governance.laws import Law
from casemate.governance.matching import Types, holds
from casemate.governance.model import Where
from casemate.governance.places import type_of
from casemate.governance.words import MANIFEST, Target

_TYPE = "type"


@dataclass(slots=True)
class Sieve:
    """Some rules, by the types of objects. `strict` as in `holds`: for rules that refuse."""

    laws: Sequence[Law]
    types: Types
    effort: Effort
    strict: bool = False
    kept: dict[str | None, tuple[Law, ...]] = field(default_factory=dict)

    def of(self, node: Mapping, *, root: bool) -> tuple[Law, ...]:
        """The rules whose subject the object is, and whose conditions on its type hold. Raises `Unable`."""
        if root:
            return tuple(law for law in self.laws if law.rule.on is Target.FLOW)
        kind = type_of(node)
        if kind not in self.kept:
            entry = node.entry(_TYPE)
            alone = Mapping(() if entry is None else (entry,), node.mark)
            self.kept[kind] = tuple(law for law in self.laws if self._may(law, alone, kind))
        return self.kept[kind]

    def _may(self, law: Law, alone: Mapping, kind: str | None) -> bool:
        if not _is_subject(law, kind, self.types):
            return False
        told = (each for each in law.rule.where if is_of_type(each))
        return all(holds(each, alone, self.types, self.effort, strict=self.strict) for each in told)


def _is_subject(law: Law, kind: str | None, types: Types) -> bool:
    """Is an object of this type what the rule is about? A plugin default is for every object with a type."""
    if kind is None or law.rule.on is Target.FLOW:
        return False
    return law.default or types.facts(kind) is not None


def is_of_type(where: Where) -> bool:
    """Is the condition one that the type of an object decides?"""
    return where.field == _TYPE or where.field.startswith(MANIFEST)
