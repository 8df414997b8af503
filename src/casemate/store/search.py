"""Searching: filters, sorting and pages as values, turned into SQL in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true

from casemate.errors import Problem, Refused
from casemate.flows import Label
from casemate.store.database import Tx


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: a field as Kestra's API names it (`flowId`), an operation (`EQUALS`, `IN`...), a value."""

    field: str
    op: str
    value: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of the results, counted from 1, and their order: `startDate:desc`."""

    number: int = 1
    size: int = 25
    sort: tuple[str, ...] = ()


_SYSTEM = "system"
"""The namespace of the flows that look after the installation itself."""

Field: TypeAlias = "ColumnElement[Any] | Callable[[str, object], ColumnElement[bool]]"
"""A column, or a function of operation and value where a field is more than a column."""

_COMPARISONS: Mapping[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "EQUALS": lambda column, value: column == value,
    "NOT_EQUALS": lambda column, value: or_(column != value, column.is_(None)),
    "GREATER_THAN": lambda column, value: column > value,
    "LESS_THAN": lambda column, value: column < value,
    "GREATER_THAN_OR_EQUAL_TO": lambda column, value: column >= value,
    "LESS_THAN_OR_EQUAL_TO": lambda column, value: column <= value,
    "IN": lambda column, value: column.in_(listed(value)),
    "NOT_IN": lambda column, value: column.not_in(listed(value)),
    "STARTS_WITH": lambda column, value: column.startswith(str(value), autoescape=True),
    "ENDS_WITH": lambda column, value: column.endswith(str(value), autoescape=True),
    "CONTAINS": lambda column, value: column.icontains(str(value), autoescape=True),
    "NOT_CONTAINS": lambda column, value: ~column.icontains(str(value), autoescape=True),
    "PREFIX": lambda column, value: or_(column == value, column.startswith(f"{value}.", autoescape=True)),
    "IS_NULL": lambda column, _: column.is_(None),
    "IS_NOT_NULL": lambda column, _: column.is_not(None),
}


def condition(fields: Mapping[str, Field], filters: Iterable[Filter]) -> ColumnElement[bool]:
    """All filters at once; raises `Refused` for fields and operations that do not exist here."""
    return and_(true(), *(_one(fields, each) for each in filters))


def _one(fields: Mapping[str, Field], wanted: Filter) -> ColumnElement[bool]:
    field = fields.get(wanted.field)
    if field is None:
        raise refused(f"Field {wanted.field} can't be filtered here", f"one of {', '.join(sorted(fields))}")
    if not isinstance(field, ColumnElement):
        return field(wanted.op, wanted.value)
    compare = _COMPARISONS.get(wanted.op)
    if compare is None:
        raise refused(f"Operation {wanted.op} is not supported for field {wanted.field}")
    return compare(field, wanted.value)


def refused(message: str, remedy: str = "") -> Refused:
    """The refusal of a search."""
    return Refused([Problem(code="search", message=message, remedy=remedy)])


def listed(value: object) -> list[object]:
    """The values of `IN`: a list, or one value."""
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def anywhere(*columns: ColumnElement[Any]) -> Field:
    """The field `q`: the text is somewhere in one of the columns, in any case."""

    def search(op: str, value: object) -> ColumnElement[bool]:
        found = or_(*(column.icontains(str(value), autoescape=True) for column in columns))
        return ~found if op in ("NOT_EQUALS", "NOT_CONTAINS") else found

    return search


def scoped(namespace: ColumnElement[Any]) -> Field:
    """The field `scope`: SYSTEM for what lies in the namespace `system` or below it, USER for all the rest."""
    system = or_(namespace == _SYSTEM, namespace.startswith(f"{_SYSTEM}.", autoescape=True))
    return among({"USER": ~system, "SYSTEM": system})


def among(meanings: Mapping[str, ColumnElement[bool]]) -> Field:
    """A field with these values only, each of which means a condition; no others are found."""

    def search(op: str, value: object) -> ColumnElement[bool]:
        wanted = [meanings[str(each)] for each in listed(value) if str(each) in meanings]
        if op not in ("EQUALS", "NOT_EQUALS", "IN", "NOT_IN"):
            raise refused(f"Operation {op} is not supported for a field that is one of {', '.join(meanings)}")
        found = or_(false(), *wanted)
        return ~found if op.startswith("NOT") else found

    return search


def labelled(column: ColumnElement[Any]) -> Field:
    """The field `labels`: `key:value`, several of them, or a map; every one must be there."""

    def search(op: str, value: object) -> ColumnElement[bool]:
        found = and_(true(), *(column.contains(_marked(label), autoescape=True) for label in _labels(value)))
        return ~found if op in ("NOT_EQUALS", "NOT_IN", "NOT_CONTAINS") else found

    return search


def marked(labels: Iterable[Label]) -> str:
    """Labels as one text in which each can be found."""
    return "".join(_marked(label) for label in labels)


def unmarked(text: str) -> tuple[Label, ...]:
    """The labels of such a text."""
    return tuple(Label(*each.split("\x1f", 1)) for each in text.strip("\x1e").split("\x1e\x1e") if each)


def _marked(label: Label) -> str:
    return f"\x1e{label.key}\x1f{label.value}\x1e"


def _labels(value: object) -> list[Label]:
    if isinstance(value, Mapping):
        return [Label(str(key), str(each)) for key, each in value.items()]
    return [Label(*_pair(str(each))) for each in listed(value)]


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition(":")
    return key, value


def found(
    tx: Tx, statement: Select[Any], fields: Mapping[str, Field], page: Page, default: Sequence[ColumnElement[Any]]
) -> tuple[Sequence[Any], int]:
    """One page of rows, and how many there are in all."""
    total = tx.scalar(select(func.count()).select_from(statement.subquery())) or 0
    ordered = statement.order_by(*_order(fields, page), *default)
    rows = tx.execute(ordered.limit(page.size).offset((page.number - 1) * page.size)).all()
    return rows, total


def _order(fields: Mapping[str, Field], page: Page) -> list[ColumnElement[Any]]:
    order: list[ColumnElement[Any]] = []
    for each in page.sort:
        name, _, direction = each.partition(":")
        field = fields.get(name)
        if not isinstance(field, ColumnElement):
            raise refused(f"Results can't be sorted by {name}")
        order.append(field.desc() if direction.lower() == "desc" else field.asc())
    return order
