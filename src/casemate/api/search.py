"""Searches as a request's query says them: `q`, `filters[field][OPERATION]=value`, `sort=field:asc`, `page`, `size`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from casemate import durations
from casemate.api.call import Call, whole
from casemate.api.errors import Declined, illegal_argument
from casemate.store import Filter, Page

LARGEST = 1000
"""The most results that one page may have, as in Kestra."""

FILTERS: Mapping[str, type] = {"q": str, "filters": dict}
"""The query parameters of an operation on all that a search finds, for the table of operations."""

SEARCH: Mapping[str, type] = {"page": int, "size": int, "sort": list, **FILTERS}
"""Those of a search."""

MOST_SORTS = 10
MOST_FILTERS = 50
MOST_VALUES = 500
"""What one search may ask at once: a database nests and binds no more than so much in one statement."""

_FILTER = re.compile(r"filters\[(?P<field>[\w.]+)\]\[(?P<op>\w+)\](?:\[(?P<key>[^\[\]]+)\])?")


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


def filters(call: Call) -> tuple[Filter, ...]:
    """Which rows are wanted: those that meet all of these. Fields and operations are judged by the store."""
    query = call.text("q")
    given = [pair for pair in call.request.query_params.multi_items() if pair[0].startswith("filters[")]
    if len(given) > MOST_FILTERS:
        raise illegal_argument(f"{len(given)} filters are given, at most {MOST_FILTERS} may be")
    found = (_filter(name, value, call.deps.now()) for name, value in given)
    return (*(() if query is None else (Filter("q", "EQUALS", query),)), *found)


def _filter(name: str, text: str, now: datetime) -> Filter:
    parts = _FILTER.fullmatch(name)
    if parts is None:
        raise illegal_argument(f"{name[:100]} is not a filter that is known here: filters[field][OPERATION]=value")
    field, operation, key = parts["field"], parts["op"], parts["key"]
    if field == "timeRange":
        return Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", _converted(field, text, lambda it: _ago(now, it)))
    if key is not None and field != "labels":
        raise illegal_argument(f"{name[:100]} is not a filter that is known here: only labels have keys")
    if key is not None:
        return Filter(field, operation, {key: text})
    if operation in ("IN", "NOT_IN"):
        return Filter(field, operation, _values(field, text))
    return Filter(field, operation, _value(field, text))


def _values(field: str, text: str) -> tuple[object, ...]:
    every = text.split(",")
    if len(every) > MOST_VALUES:
        raise illegal_argument(f"the filter {field} has {len(every)} values, at most {MOST_VALUES} may be given")
    return tuple(_value(field, each) for each in every)


def _value(field: str, text: str) -> object:
    convert = _TYPED.get(field)
    return text if convert is None else _converted(field, text, convert)


def _converted(field: str, text: str, convert: Callable[[str], object]) -> object:
    try:
        return convert(text)
    except (ValueError, OverflowError) as error:
        raise illegal_argument(f"{text[:100]!r} is no value for the filter {field}") from error


def _int(text: str) -> int:
    number = whole(text)
    if number is None:
        raise ValueError(text)
    return number


def _date(text: str) -> datetime:
    # A plus sign that was not encoded arrives as a blank.
    date = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _ago(now: datetime, text: str) -> datetime:
    return now - abs(durations.parse(text))


_TYPED: Mapping[str, Callable[[str], object]] = {
    "startDate": _date,
    "endDate": _date,
    "updated": _date,
    "timestamp": _date,
    "flowRevision": _int,
    "revision": _int,
    "attemptNumber": _int,
}
