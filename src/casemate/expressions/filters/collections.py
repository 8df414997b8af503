"""Filters of lists and maps, and `default`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from casemate.expressions import given as arguments
from casemate.expressions.errors import Fault
from casemate.expressions.filters.filter import Filter
from casemate.expressions.given import Given
from casemate.expressions.predicates import is_empty
from casemate.expressions.printing import java_text
from casemate.expressions.run import Run
from casemate.expressions.values import Entry, class_name, is_number, items

_COMPARABLE = (str, bool, datetime, date, time, timedelta)


def _elements(value: object, wanted: str = "util.Collection") -> list[object] | tuple[object, ...]:
    found = items(value)
    if found is None:
        raise arguments.unfit(value, wanted)
    return found


def _first(value: object, _given: Given, _run: Run) -> object:
    return _end(value, 0)


def _last(value: object, _given: Given, _run: Run) -> object:
    return _end(value, -1)


def _end(value: object, index: int) -> object:
    if isinstance(value, str):
        if not value:
            raise Fault("Index 0 out of bounds for length 0")
        return value[index]
    found = _elements(value)
    return found[index] if found else None


def _length(value: object, _given: Given, _run: Run) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return len(value)
    found = items(value)
    return 0 if found is None else len(found)


def _join(value: object, given: Given, run: Run) -> str:
    found = items(value)
    if found is None:
        raise Fault("The 'join' filter expects that the input is either a collection or an array.")
    separator = arguments.optional_text(given, "separator") or ""
    run.session.meter.charge(len(separator) * len(found))
    return separator.join(java_text(item, run.session.meter) for item in found)


def _sort(value: object, _given: Given, run: Run) -> list[Any]:
    return _sorted(value, run, backwards=False)


def _rsort(value: object, _given: Given, run: Run) -> list[Any]:
    return _sorted(value, run, backwards=True)


def _sorted(value: object, run: Run, *, backwards: bool) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise Fault(f"Unsupported input type for {'rsort' if backwards else 'sort'} filter")
    run.session.meter.charge(4 * len(value))
    for before, after in pairwise(value):
        if _order(before) != _order(after):
            raise arguments.unfit(after, class_name(before).removeprefix("java."))
    if value and _order(value[0]) is None:
        raise arguments.unfit(value[0], "lang.Comparable")
    return sorted(value, reverse=backwards)


def _order(value: object) -> type | None:
    """Values of one order can be compared with each other; None for those that have no order."""
    if is_number(value):
        return float
    return type(value) if isinstance(value, _COMPARABLE) else None


def _reverse(value: object, _given: Given, _run: Run) -> list[object]:
    return list(reversed(_elements(value, "util.List")))


def _merge(value: object, given: Given, run: Run) -> object:
    other = given.get("items")
    if value is None and other is None:
        raise Fault("The two arguments to be merged are null")
    if value is None or other is None:
        return other if value is None else value
    if isinstance(other, list | tuple | Mapping):
        run.session.meter.charge(len(other))
    if isinstance(value, Mapping):
        return {**value, **_as_map(other)}
    if isinstance(value, list | tuple):
        return [*value, *_as_list(other)]
    raise Fault("The object being filtered is not a Map/List/Array")


def _as_map(other: object) -> dict[Any, object]:
    if isinstance(other, Mapping):
        return dict(other)
    if isinstance(other, list | tuple):
        return {item: item for item in other}
    raise Fault(f"Currently, only Maps and Lists can be merged with a Map. Arg2: {class_name(other)}")


def _as_list(other: object) -> list[object]:
    if isinstance(other, Mapping):
        return [Entry(key, item) for key, item in other.items()]
    if isinstance(other, list | tuple):
        return list(other)
    raise Fault(f"Currently, only Maps and Lists can be merged with a List. Arg2: {class_name(other)}")


def _chunk(value: object, given: Given, _run: Run) -> list[object]:
    arguments.required(given, "size", "'chunk' filter expects an argument 'size'.")
    if not isinstance(value, list | tuple):
        raise Fault(f"'chunk' filter can only be applied to List. Actual type was: {class_name(value)}")
    size = arguments.whole(given, "size")
    if size is None or size < 1:
        raise Fault("'chunk' filter expects a positive integer as argument 'size'.")
    return [list(value[at : at + size]) for at in range(0, len(value), size)]


def _flatten(value: object, _given: Given, run: Run) -> list[object]:
    if not isinstance(value, list | tuple):
        raise Fault("The 'flatten' filter can only be applied to lists.")
    flat: list[object] = []
    for item in value:
        inner = item if isinstance(item, list | tuple) else (item,)
        run.session.meter.charge(len(inner))
        flat.extend(inner)
    return flat


def _keys(value: object, _given: Given, _run: Run) -> list[object]:
    if isinstance(value, Mapping):
        return list(value)
    if isinstance(value, list | tuple):
        return list(range(len(value)))
    raise Fault(f"'keys' filter can only be applied to List, Map, Array. Actual type was: {class_name(value)}")


def _values(value: object, _given: Given, _run: Run) -> list[object]:
    if not isinstance(value, Mapping):
        raise Fault(f"'values' filter can only be applied to Map. Actual type was: {class_name(value)}")
    return list(value.values())


def _default(value: object, given: Given, _run: Run) -> object:
    return given.get("default") if is_empty(value) else value


COLLECTIONS: Mapping[str, Filter] = {
    "first": Filter(_first),
    "last": Filter(_last),
    "length": Filter(_length, takes_null=True),
    "join": Filter(_join, ("separator",)),
    "sort": Filter(_sort),
    "rsort": Filter(_rsort),
    "reverse": Filter(_reverse),
    "merge": Filter(_merge, ("items",), takes_null=True),
    "chunk": Filter(_chunk, ("size",)),
    "flatten": Filter(_flatten, ()),
    "keys": Filter(_keys),
    "values": Filter(_values),
    "default": Filter(_default, ("default",), takes_null=True, forgiving=True),
}
