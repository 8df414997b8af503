"""Members of values that templates written for Kestra use, `list.size` or `date.year`: a closed table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from casemate.expressions.budget import Meter
from casemate.expressions.errors import Undefined
from casemate.expressions.operators import holds
from casemate.expressions.values import Entry, items

_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_MONTHS = (
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
)


class _Member(NamedTuple):
    """A function of the value and of arguments of these types."""

    act: Callable[..., object]
    takes: tuple[type, ...] = ()


_TEXT: Mapping[str, _Member] = {
    "length": _Member(len),
    "isEmpty": _Member(lambda text: not text),
    "isBlank": _Member(lambda text: not text.strip()),
    "trim": _Member(str.strip),
    "toUpperCase": _Member(str.upper),
    "toLowerCase": _Member(str.lower),
    "startsWith": _Member(str.startswith, (str,)),
    "endsWith": _Member(str.endswith, (str,)),
    "indexOf": _Member(str.find, (str,)),
    "lastIndexOf": _Member(str.rfind, (str,)),
}
_LIST: Mapping[str, _Member] = {"size": _Member(len), "isEmpty": _Member(lambda items: not items)}
_MAP: Mapping[str, _Member] = {
    "size": _Member(len),
    "isEmpty": _Member(lambda entries: not entries),
    "keySet": _Member(list),
    "values": _Member(lambda entries: list(entries.values())),
    "entrySet": _Member(lambda entries: [Entry(key, value) for key, value in entries.items()]),
    "containsKey": _Member(lambda entries, key: key in entries, (str,)),
    "get": _Member(lambda entries, key: entries.get(key), (str,)),
}
_DAY: Mapping[str, _Member] = {
    "year": _Member(lambda day: day.year),
    "monthValue": _Member(lambda day: day.month),
    "month": _Member(lambda day: _MONTHS[day.month - 1]),
    "dayOfMonth": _Member(lambda day: day.day),
    "dayOfYear": _Member(lambda day: day.timetuple().tm_yday),
    "dayOfWeek": _Member(lambda day: _DAYS[day.weekday()]),
}
_MOMENT: Mapping[str, _Member] = {
    **_DAY,
    "hour": _Member(lambda moment: moment.hour),
    "minute": _Member(lambda moment: moment.minute),
    "second": _Member(lambda moment: moment.second),
    "nano": _Member(lambda moment: moment.microsecond * 1000),
}


def member(value: object, name: str, meter: Meter) -> object:
    """A member without arguments, by its own name or as `getX` and `isX` are shortened; raises `Undefined`."""
    meter.charge(_size(value))
    found = None if isinstance(value, Mapping) else _found(value, name)
    if found is None or found.takes:
        raise Undefined(name)
    return found.act(value)


def call_member(value: object, name: str, given: list[object], meter: Meter) -> object:
    """A member called with arguments; raises `Undefined`."""
    meter.charge(_size(value))
    elements = items(value)
    if name == "contains" and elements is not None and len(given) == 1:
        return holds(elements, given[0], meter)
    found = _found(value, name)
    if found is None or len(given) != len(found.takes):
        raise Undefined(name)
    if not all(isinstance(argument, kind) for argument, kind in zip(given, found.takes, strict=True)):
        raise Undefined(name)
    return found.act(value, *given)


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | list | dict) else 1


def _found(value: Any, name: str) -> _Member | None:
    members = _members(value)
    shortened = name[:1].upper() + name[1:]
    return members.get(name) or members.get(f"is{shortened}") or members.get(_unprefixed(name))


def _unprefixed(name: str) -> str:
    """`getYear` is `year`."""
    return name[3:4].lower() + name[4:] if name.startswith("get") else ""


def _members(value: object) -> Mapping[str, _Member]:
    if isinstance(value, str):
        return _TEXT
    if isinstance(value, Mapping):
        return _MAP
    if isinstance(value, datetime):
        return _MOMENT
    if isinstance(value, date):
        return _DAY
    return _LIST if items(value) is not None else {}
