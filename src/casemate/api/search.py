"""Searches as a request's query says them: `q`, `filters[field][OPERATION]=value`, `sort=field:asc`, `page`, `size`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from casemate.api.call import Call
from casemate.api.errors import Declined, illegal_argument
from casemate.api.filters import OLDER, older, read
from casemate.store import Criterion, Filter, Page

T = TypeVar("T")

LARGEST = 1000
"""The most results that one page may have, as in Kestra."""

FILTERS: Mapping[str, type] = {"q": str, "filters": dict}
"""The query parameters of an operation on all that a search finds, for the table of operations."""

_PAGES: Mapping[str, type] = {"page": int, "size": int, "sort": list}

SEARCH: Mapping[str, type] = {**_PAGES, **FILTERS}
"""Those of a search."""

OLD_FILTERS: Mapping[str, type] = {
    "namespace": str,
    "flowId": str,
    "startDate": str,
    "endDate": str,
    "timeRange": str,
    "state": list,
    "labels": list,
    "scope": list,
    "triggerExecutionId": str,
    "childFilter": str,
}
"""How older clients look for executions."""

MOST_SORTS = 10


def page(call: Call, *, default: int = 10) -> Page:
    """Which part of the results is wanted, in which order."""
    number, size = call.number("page"), call.number("size")
    number, size = 1 if number is None else number, default if size is None else size
    if number < 1 or size < 1:
        raise illegal_argument("page and size count from 1")
    if size > LARGEST:
        raise Declined(422, f"Invalid entity: size: must be less than or equal to {LARGEST}")
    sort = call.texts("sort")
    if len(sort) > MOST_SORTS:
        raise illegal_argument(f"{len(sort)} fields are given to sort by, at most {MOST_SORTS} may be")
    return Page(number=number, size=size, sort=tuple(sort))


def cut(found: Iterable[T], part: Page, fields: Mapping[str, Callable[[T], str]]) -> list[T]:
    """The same part of what is at hand as a whole; `fields` are what it may be sorted by. Raises `Declined` (422)."""
    ordered = list(found)
    for order in reversed(part.sort):
        field, _, direction = order.partition(":")
        if field not in fields:
            raise illegal_argument(f"Results can't be sorted by {field[:100]}")
        ordered.sort(key=fields[field], reverse=direction.lower() == "desc")
    return ordered[(part.number - 1) * part.size : part.number * part.size]


def filters(call: Call) -> tuple[Criterion, ...]:
    """Which rows are wanted: those that meet all of these. Fields, operations and values are judged by the store."""
    now, query, asks = call.deps.now(), call.text("q"), call.operation.asks
    given = call.request.query_params.multi_items()
    asked = (each for name in OLDER if name in asks for each in older(name, call.texts(name), now))
    return (*(() if query is None else (Filter("q", "EQUALS", query),)), *read(given, now), *asked)


def plain_filters(call: Call) -> tuple[Filter, ...]:
    """The same where there can be no groups."""
    found = filters(call)
    if not all(isinstance(one, Filter) for one in found):
        raise illegal_argument("filters can't be grouped here")
    return tuple(one for one in found if isinstance(one, Filter))
