"""Filters in a query: `filters[field][OPERATION]=value`, in groups `filters[or][0][field][OPERATION]=value`.

Members of a group may be groups in turn, once. Everything on one level must hold. Older forms (`namespace=`, `state=`)
are read where an operation declares them: a filter that was overlooked would let a deletion find everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from casemate import durations
from casemate.api.errors import Declined, illegal_argument
from casemate.store import AllOf, AnyOf, Criterion, Filter

MOST_FILTERS = 50
MOST_VALUES = 500
"""What one search may ask at once: a database nests and binds no more than so much in one statement."""

_NAME = re.compile(r"filters((?:\[[^\[\]]*\])+)")
_GROUPS: Mapping[str, type[AllOf] | type[AnyOf]] = {"and": AllOf, "or": AnyOf}
_DEPTH = 2
_MANY = ("IN", "NOT_IN")

OLDER: Mapping[str, tuple[str, str]] = {
    "namespace": ("namespace", "PREFIX"),
    "flowId": ("flowId", "EQUALS"),
    "startDate": ("startDate", "GREATER_THAN_OR_EQUAL_TO"),
    "endDate": ("startDate", "LESS_THAN_OR_EQUAL_TO"),
    "timeRange": ("timeRange", "EQUALS"),
    "state": ("state", "IN"),
    "labels": ("labels", "EQUALS"),
    "scope": ("scope", "IN"),
    "triggerExecutionId": ("triggerExecutionId", "EQUALS"),
    "childFilter": ("childFilter", "EQUALS"),
    "triggerId": ("triggerId", "EQUALS"),
    "minLevel": ("level", "EQUALS"),
}
"""What query parameters of older clients mean: field and operation."""

_Place: TypeAlias = tuple[tuple[str, int], ...]
"""In which groups a filter stands, outermost first, as which member."""


@dataclass(frozen=True, slots=True)
class _Written:
    """One parameter: where it stands, its field and operation, the label it is about (if any), its value."""

    place: _Place
    field: str
    op: str
    key: str | None
    text: str


def read(given: Iterable[tuple[str, str]], now: datetime) -> tuple[Criterion, ...]:
    """The criteria of the parameters that begin with `filters[`; raises `Declined`."""
    written = [_written(name, text) for name, text in given if name.startswith("filters[")]
    if len(written) > MOST_FILTERS:
        raise illegal_argument(f"{len(written)} filters are given, at most {MOST_FILTERS} may be")
    return tuple(_grouped(list(_leaves(written, now))))


def older(name: str, texts: Sequence[str], now: datetime) -> Iterator[Criterion]:
    """The criterion of a parameter of an older client, if it is there."""
    values = [text for text in texts if text]
    if not values:
        return
    field, op = OLDER[name]
    if len(values) > MOST_VALUES:
        raise _too_many(name, len(values))
    if field == "timeRange":
        yield _since(op, values[-1], now)
    elif field == "labels":
        yield Filter(field, op, values)
    else:
        yield Filter(field, op, [part for each in values for part in each.split(",")] if op == "IN" else values[-1])


def _written(name: str, text: str) -> _Written:
    found = _NAME.fullmatch(name)
    parts = found[1][1:-1].split("][") if found else []
    place: list[tuple[str, int]] = []
    while len(parts) > 2 and parts[0].lower() in _GROUPS and re.fullmatch(r"[0-9]{1,4}", parts[1]):
        place.append((parts[0].lower(), int(parts[1])))
        parts = parts[2:]
    if len(place) > _DEPTH:
        raise illegal_argument(f"{name[:100]}: a group of filters may hold groups, but these no further ones")
    if len(parts) not in (2, 3) or not all(parts):
        raise illegal_argument(f"{name[:100]} is not a filter that is known here: filters[field][OPERATION]=value")
    field, op, key = parts[0], parts[1], parts[2] if len(parts) == 3 else None
    if key is not None and field != "labels":
        raise illegal_argument(f"{name[:100]} is not a filter that is known here: only labels have keys")
    return _Written(tuple(place), field, op, key, text)


def _leaves(written: Sequence[_Written], now: datetime) -> Iterator[tuple[_Place, Criterion]]:
    """Each filter with its place; the labels of one filter come in one parameter each."""
    labels: dict[tuple[_Place, str], dict[str, list[str]]] = {}
    for one in written:
        if one.key is None:
            yield one.place, _filter(one, now)
        else:
            values = labels.setdefault((one.place, one.op), {}).setdefault(one.key, [])
            values += one.text.split(",") if one.op in _MANY else [one.text]
    for (place, op), values_of in labels.items():
        yield place, Filter("labels", op, values_of)


def _filter(one: _Written, now: datetime) -> Filter:
    if one.field == "timeRange":
        return _since(one.op, one.text, now)
    if one.op not in _MANY:
        return Filter(one.field, one.op, one.text)
    values = one.text.split(",")
    if len(values) > MOST_VALUES:
        raise _too_many(one.field, len(values))
    return Filter(one.field, one.op, values)


def _since(op: str, text: str, now: datetime) -> Filter:
    if op != "EQUALS":
        raise illegal_argument(f"Operation {op[:100]} is not supported for field timeRange, only EQUALS")
    try:
        return Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", now - abs(durations.parse(text)))
    except (ValueError, OverflowError) as error:
        raise illegal_argument(f"{text[:100]!r} is no value for the filter timeRange") from error


def _too_many(field: str, number: int) -> Declined:
    return illegal_argument(f"the filter {field} has {number} values, at most {MOST_VALUES} may be given")


def _grouped(leaves: Sequence[tuple[_Place, Criterion]]) -> Iterator[Criterion]:
    yield from (criterion for place, criterion in leaves if not place)
    for logical, group in _GROUPS.items():
        members: dict[int, list[tuple[_Place, Criterion]]] = {}
        for place, criterion in leaves:
            if place and place[0][0] == logical:
                members.setdefault(place[0][1], []).append((place[1:], criterion))
        if members:
            yield group(tuple(_together(tuple(_grouped(members[index]))) for index in sorted(members)))


def _together(criteria: tuple[Criterion, ...]) -> Criterion:
    return criteria[0] if len(criteria) == 1 else AllOf(criteria)
