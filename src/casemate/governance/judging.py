"""Do the rules that refuse hold for an object, as the other rules have left it? (spec/isolation 4.2)"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from casemate import durations
from casemate.documents import Mapping, Plain, plain
from casemate.governance.effort import Effort
from casemate.governance.matching import Types, equal, holds, number_of, templated, text_of
from casemate.governance.model import Deny, Require, Restrict, Validation
from casemate.governance.places import find, type_of
from casemate.governance.words import Target

Limit: TypeAlias = float | str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: a sentence without its subject, and the property it is about, if it is about one."""

    message: str
    property: str = ""


def faults(rule: Validation, node: Mapping, types: Types, effort: Effort) -> Iterator[Fault]:
    """How an object breaks a rule whose subject it is."""
    if not all(holds(each, node, types, effort, strict=True) for each in rule.where):
        return
    match rule:
        case Deny():
            yield Fault(f"of type '{type_of(node)}' is not allowed", "type")
        case Require():
            effort.spend(len(rule.properties))
            for name in rule.properties:
                if is_blank(_value(node, name)):
                    yield Fault(f"needs {name}", name)
        case Restrict():
            value = _value(node, rule.property)
            if value is not None:
                yield from (Fault(f"{rule.property} {each}", rule.property) for each in _outside(rule, value, effort))


def _value(node: Mapping, path: str) -> Plain:
    found = find(node, path)
    return None if found is None else plain(found)


def is_blank(value: Plain) -> bool:
    """Does it count as lacking? Zero and false do not."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def _outside(rule: Restrict, value: Plain, effort: Effort) -> Iterator[str]:
    """Of a template only its rendering shows the value: what cannot be known cannot be inside a limit."""
    if templated(value) and rule.regex is None:
        yield "must not be a template: a rule restricts it"
        return
    if rule.min is not None and not _is_ordered(rule.min, value):
        yield f"must be at least {rule.min:g}" if isinstance(rule.min, float) else f"must be at least {rule.min}"
    if rule.max is not None and not _is_ordered(value, rule.max):
        yield f"must be at most {rule.max:g}" if isinstance(rule.max, float) else f"must be at most {rule.max}"
    if rule.enum is not None and not all(any(equal(each, one) for one in rule.enum) for each in _each(value)):
        yield f"must be one of {', '.join(text_of(one) for one in rule.enum)}"
    if rule.regex is not None and not all(effort.fits(rule.regex, text_of(each)) for each in _each(value)):
        yield f"must match {rule.regex}"
    if rule.equals is not None and not equal(value, rule.equals):
        yield f"must be {text_of(rule.equals)}"


def _each(value: Plain) -> list[Plain]:
    """A list is inside a limit when all its members are."""
    return value if isinstance(value, list) else [value]


def _is_ordered(less: Plain, more: Plain) -> bool:
    """Is the one not more than the other, as numbers or as durations? What is neither is not."""
    numbers = number_of(less), number_of(more)
    if numbers[0] is not None and numbers[1] is not None:
        return numbers[0] <= numbers[1]
    try:
        return durations.parse(str(less)) <= durations.parse(str(more))
    except durations.NotADuration:
        return False


def subject_of(node: Mapping, on: Target) -> str:
    """How a message names the object: by its id, or by its type."""
    if on is Target.FLOW:
        return "the flow"
    named = _value(node, "id")
    return f"'{named}'" if isinstance(named, str) and named else f"an object of type '{type_of(node)}'"
