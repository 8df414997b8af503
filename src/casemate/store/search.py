"""Searching: filters, sorting and pages as values, turned into SQL in one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true

from casemate.store.database import Tx
from casemate.store.fields import Field, Named, compared, refused


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: a field as Kestra's API names it (`flowId`), an operation (`EQUALS`, `IN`...), a value.

    A value that came as a text is read as the field wants it: a date, a number.
    """

    field: str
    op: str
    value: object = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of them."""

    members: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of them."""

    members: tuple[Criterion, ...]


Criterion: TypeAlias = "Filter | AllOf | AnyOf"
"""What a row must meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of the results, counted from 1, and their order: `startDate:desc`."""

    number: int = 1
    size: int = 25
    sort: tuple[str, ...] = ()


def condition(fields: Mapping[str, Field], wanted: Iterable[Criterion]) -> ColumnElement[bool]:
    """All criteria at once; raises `Refused` for fields, operations and values that do not exist here."""
    return and_(true(), *(_one(fields, each) for each in wanted))


def _one(fields: Mapping[str, Field], wanted: Criterion) -> ColumnElement[bool]:
    match wanted:
        case AllOf(members=members):
            return condition(fields, members)
        case AnyOf(members=members):
            return or_(false(), *(_one(fields, each) for each in members))
    field = fields.get(wanted.field)
    if field is None:
        raise refused(f"Field {wanted.field} can't be filtered here", f"one of {', '.join(sorted(fields))}")
    if not isinstance(field, ColumnElement):
        return field(wanted.op, wanted.value)
    return compared(wanted.field, field, wanted.op, wanted.value)


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
        column = field.column if isinstance(field, Named) else field
        if not isinstance(column, ColumnElement):
            raise refused(f"Results can't be sorted by {name[:100]}", path="sort")
        if direction.lower() not in ("", "asc", "desc"):
            raise refused(f"Results can be sorted asc or desc, not {direction[:100]!r}", path="sort")
        order.append(column.desc() if direction.lower() == "desc" else column.asc())
    return order
