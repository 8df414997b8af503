"""Does a condition of a rule hold for an object? Types are known by all their names (spec/isolation 17 W4, W18)."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Protocol

from casemate.documents import Mapping, Plain, plain
from casemate.governance.effort import Effort
from casemate.governance.model import Where
from casemate.governance.places import find, type_of
from casemate.governance.words import MANIFEST, Operator


class Types(Protocol):
    """What the rules must know of the types that an installation has."""

    def names(self, name: str) -> tuple[str, ...]:
        """Every name of the type that this is a name of: its own, its true one, its aliases."""

    def facts(self, name: str) -> AnyMapping[str, Plain] | None:
        """What the manifest says, by the names that conditions use; None for a type that is not known."""

    def implied(self, name: str) -> AnyMapping[str, Plain]:
        """The objects with a type of their own that a type has where nothing else is said: its task runner."""


def holds(where: Where, node: Mapping, types: Types, effort: Effort, *, strict: bool = False) -> bool:
    """Does the object fulfil the condition?

    `strict`, for rules that refuse: a value that only rendering brings to light counts as equal to any, so that no
    template is a way around a rule. Raises `Unable` when the effort is used up.
    """
    effort.spend(1)
    found = _values(where.field, node, types)
    match where.operator:
        case Operator.IS_NULL:
            return not found
        case Operator.IS_NOT_NULL:
            return bool(found)
        case Operator.NOT_EQUAL_TO:
            return not any(equal(each, where.value) for each in found)
        case Operator.NOT_IN:
            return not any(equal(each, one) for each in found for one in where.value)
        case Operator.EQUAL_TO:
            return any(equal(each, where.value) or (strict and templated(each)) for each in found)
        case Operator.IN:
            return any(equal(each, one) or (strict and templated(each)) for each in found for one in where.value)
    texts = [text_of(each) for each in found if not isinstance(each, list | dict)]
    return any(_compared(where.operator, each, text_of(where.value), effort) for each in texts)


def _compared(operator: Operator, text: str, wanted: str, effort: Effort) -> bool:
    match operator:
        case Operator.STARTS_WITH:
            return text.startswith(wanted)
        case Operator.ENDS_WITH:
            return text.endswith(wanted)
        case Operator.CONTAINS:
            return wanted in text
        case _:
            return effort.fits(wanted, text)


def _values(field: str, node: Mapping, types: Types) -> list[Plain]:
    """What a field is held against: a value, a list and all its members, or every name of a type."""
    if field.startswith(MANIFEST):
        facts = types.facts(type_of(node) or "") or {}
        return _members(facts.get(field))
    found = find(node, field)
    value = None if found is None else plain(found)
    if field.rpartition(".")[2] == "type" and isinstance(value, str):
        return list(types.names(value))
    return _members(value)


def _members(value: Plain) -> list[Plain]:
    if value is None:
        return []
    return [value, *(member for each in value for member in _members(each))] if isinstance(value, list) else [value]


def equal(one: Plain, other: Plain) -> bool:
    """Do both mean the same once a flow is read? `"true"` is true there, and `1.0` is 1."""
    if isinstance(one, list | dict) or isinstance(other, list | dict):
        return one == other
    if isinstance(one, bool) or isinstance(other, bool):
        return text_of(one).strip().lower() == text_of(other).strip().lower()
    numbers = number_of(one), number_of(other)
    if isinstance(one, int | float) or isinstance(other, int | float):
        return None not in numbers and numbers[0] == numbers[1]
    return one == other


def text_of(value: Plain) -> str:
    """A single value as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def number_of(value: Plain) -> float | None:
    """The number that a value is, or that its text means."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def templated(value: Plain) -> bool:
    """Will only rendering bring to light what this is?"""
    return isinstance(value, str) and ("{{" in value or "{%" in value)
