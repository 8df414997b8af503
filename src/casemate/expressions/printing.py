"""How values become text: printed alone, inside JSON, or joined to other text (spec/engine 6.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, time, timedelta, tzinfo
from decimal import Decimal
from json.encoder import encode_basestring as quoted

from casemate.expressions.budget import DEFAULT, Meter, check_depth
from casemate.expressions.errors import Fault
from casemate.expressions.javatime.texts import json_moment, printed_moment
from casemate.expressions.values import Entry, Float32, is_whole, narrowed

_LONGEST_DECIMAL = 1000  # digits, beyond which a decimal keeps its exponent

_MOMENTS = (date, time, timedelta)  # a datetime is a date


def printed(value: object, zone: tzinfo = UTC, meter: Meter | None = None) -> str:
    """How a value prints in a rendered text: null as nothing, maps and lists as compact JSON, dates as ISO.

    `zone` is the server's, for dates within JSON. Raises `BudgetExceeded` when a value is larger than the budget.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list | tuple | Set):
        return json_text(value, zone, meter or Meter(DEFAULT))
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < _LONGEST_DECIMAL:
        return f"{value:f}"
    return "" if value is None else java_text(value, meter or Meter(DEFAULT))


def java_text(value: object, meter: Meter) -> str:
    """Java's `String.valueOf`: what `~`, `+`, `join` and the text filters see; `{a=1}` for maps, `null` for null."""
    return _Speech(meter).text(value, 0)


class _Speech:
    """Java's texts of nested values, within a budget."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def text(self, value: object, depth: int) -> str:
        self._meter.step()
        match value:
            case str():
                self._meter.charge(len(value))
                return value
            case Mapping():
                inner = (self._pair(key, item, depth) for key, item in value.items())
                return "{" + ", ".join(inner) + "}"
            case list() | tuple() | Set():
                check_depth(depth)
                return "[" + ", ".join(self.text(item, depth + 1) for item in value) + "]"
            case Entry():
                return self._pair(value.key, value.value, depth)
            case _:
                return _scalar(value)

    def _pair(self, key: object, value: object, depth: int) -> str:
        check_depth(depth)
        return f"{self.text(key, depth + 1)}={self.text(value, depth + 1)}"


def _scalar(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float():
            return java_double(value)
    return printed_moment(value) if isinstance(value, _MOMENTS) else str(value)


def json_text(value: object, zone: tzinfo, meter: Meter) -> str:
    """Compact JSON as Kestra writes it: null entries of maps dropped, non-ASCII kept, dates as ISO texts."""
    return "".join(_Json(zone, meter).pieces(value))


class _Json:
    def __init__(self, zone: tzinfo, meter: Meter) -> None:
        self._zone = zone
        self._meter = meter

    def pieces(self, value: object) -> list[str]:
        found: list[str] = []
        self._add(value, found, 0)
        return found

    def _add(self, value: object, found: list[str], depth: int) -> None:
        self._meter.step()
        match value:
            case str():
                self._meter.charge(len(value))
                found.append(quoted(value))
            case Mapping():
                check_depth(depth)
                self._add_map(value, found, depth)
            case list() | tuple() | Set():
                check_depth(depth)
                self._add_list(value, found, depth)
            case Entry():
                self._add({value.key: value.value}, found, depth)
            case _:
                found.append(self._leaf(value))

    def _add_map(self, value: Mapping[object, object], found: list[str], depth: int) -> None:
        mark = "{"
        for key, item in value.items():
            if key is None:
                raise Fault("Null key for a Map not allowed in JSON (use a converting NullKeySerializer?)")
            if item is not None:
                found.append(f"{mark}{quoted(key if isinstance(key, str) else java_text(key, self._meter))}:")
                self._add(item, found, depth + 1)
                mark = ","
        found.append("{}" if mark == "{" else "}")

    def _add_list(self, value: Iterable[object], found: list[str], depth: int) -> None:
        mark = "["
        for item in value:
            found.append(mark)
            self._add(item, found, depth + 1)
            mark = ","
        found.append("[]" if mark == "[" else "]")

    def _leaf(self, value: object) -> str:
        if isinstance(value, timedelta):
            return json_moment(value, self._zone)
        if isinstance(value, date | time):
            return quoted(json_moment(value, self._zone))
        text = _scalar(value)
        numeric = value is None or isinstance(value, bool) or is_whole(value) or isinstance(value, float | Decimal)
        return text if numeric and text[-1] not in "Ny" else quoted(text)  # NaN and Infinity are texts


def java_double(value: float) -> str:
    """A decimal number as Java prints it: `1.0`, `1.0E-5`, `1.23456789E7`."""
    if value != value:  # NaN
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    sign, digits, exponent = Decimal(_shortest(value)).as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)  # the number is 0.text × 10^point
    text = text.rstrip("0") or "0"
    return ("-" if sign else "") + (_plain(text, point) if _is_plain(abs(value)) else _scientific(text, point))


def _is_plain(size: float) -> bool:
    return size == 0 or 1e-3 <= size < 1e7  # Java's own bounds


def _plain(digits: str, point: int) -> str:
    if point <= 0:
        return "0." + "0" * (-point if digits != "0" else 0) + digits
    return digits[:point].ljust(point, "0") + "." + (digits[point:] or "0")


def _scientific(digits: str, point: int) -> str:
    return f"{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def _shortest(value: float) -> str:
    """The shortest decimal text that reads back as the same number."""
    if not isinstance(value, Float32):
        return float.__repr__(value)
    candidates = (f"{float(value):.{digits}g}" for digits in range(1, 10))
    return next(text for text in candidates if narrowed(float(text)) == value)
