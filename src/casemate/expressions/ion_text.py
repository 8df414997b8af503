"""ION text as Kestra's rows have it (spec/engine 12.3): written here, read by Amazon's library into plain values."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from amazon.ion import simpleion
from amazon.ion.core import IonType, TimestampPrecision
from amazon.ion.exceptions import IonException
from amazon.ion.simple_types import IonPyNull
from amazon.ion.symbols import SymbolToken

from casemate.expressions.budget import Meter, check_depth
from casemate.expressions.errors import Fault
from casemate.expressions.javatime.dates import read_date
from casemate.expressions.javatime.locales import DEFAULT
from casemate.expressions.javatime.texts import json_moment, seconds_text, zone_suffix
from casemate.expressions.printing import java_double, java_text
from casemate.expressions.values import class_name

_SYMBOL = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_KEYWORDS = frozenset(("null", "true", "false", "nan"))


def ion_text(value: object, meter: Meter, depth: int = 0) -> str:
    """One value as ION text; nulls in maps are kept."""
    meter.step()
    check_depth(depth)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            meter.charge(len(value))
            return _quoted(value, '"')
        case Mapping():
            fields = (f"{_name(key, meter)}:{ion_text(item, meter, depth + 1)}" for key, item in value.items())
            return "{" + ",".join(fields) + "}"
        case list() | tuple() | Set():
            return "[" + ",".join(ion_text(item, meter, depth + 1) for item in value) + "]"
        case float():
            return _float(value)
        case date() | time() | timedelta():
            return _moment(value)
        case int() | Decimal():
            return java_text(value, meter)
    return _quoted(java_text(value, meter), '"')


def _name(key: object, meter: Meter) -> str:
    name = key if isinstance(key, str) else java_text(key, meter)
    return name if _SYMBOL.fullmatch(name) and name not in _KEYWORDS else _quoted(name, "'")


def _quoted(text: str, quote: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    escaped = re.sub(r"\\u00([0-9a-f]{2})", r"\\x\1", escaped).replace(quote, "\\" + quote)
    return f"{quote}{escaped}{quote}"


def _float(value: float) -> str:
    text = java_double(float(value))  # 32-bit floats are widened
    if text[-1] in "Ny":
        return {"NaN": "nan", "Infinity": "+inf", "-Infinity": "-inf"}[text]
    return text if "E" in text else text.removesuffix(".0") + "e0"


def _moment(value: date | time | timedelta) -> str:
    if isinstance(value, timedelta):
        return seconds_text(value)
    if isinstance(value, datetime) and value.tzinfo is UTC:
        return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    if not isinstance(value, datetime | time):
        return value.isoformat()
    kind = class_name(value).rpartition(".")[2]
    zone = value.tzinfo if isinstance(value, datetime) else None
    return f'{kind}::"{json_moment(value, zone or UTC)}{zone_suffix(zone)}"'


def read_ion(text: str) -> object:
    """The first value of an ION text as plain Python; raises `Fault` when there is none."""
    try:
        for value in simpleion.loads(text, single_value=False, parse_eagerly=False):
            return _plain(value, 0)
    except (IonException, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise Fault(f"Invalid ion: {error}") from error
    raise Fault("Invalid ion: No content to map due to end-of-input")


def _plain(value: Any, depth: int) -> object:
    check_depth(depth)
    match value:
        case IonPyNull():
            return None
        case Mapping():
            return {str(key): _plain(item, depth + 1) for key, item in value.items()}
        case str():
            return _annotated(str(value), value)
        case datetime():
            return _timestamp(value)
        case bytes():
            return base64.b64encode(value).decode()
        case SymbolToken():
            return value.text or ""
        case Iterable():
            return [_plain(item, depth + 1) for item in value]
    return _number(value)


def _number(value: Any) -> object:
    if value.ion_type is IonType.BOOL:
        return bool(value)
    return next((kind(value) for kind in (int, float, Decimal) if isinstance(value, kind)), None)


def _timestamp(value: Any) -> date | datetime:
    """A day where no time is told (midnight counts as that), an instant in UTC, else a date in its offset."""
    if value.tzinfo is None or value.precision.value <= TimestampPrecision.DAY.value:
        day: date = value.date()
        return day
    offset = value.utcoffset()
    moment = datetime.combine(value.date(), value.time(), timezone(offset) if offset else UTC)
    return moment.date() if not offset and moment.time() == time() else moment


def _annotated(text: str, value: Any) -> object:
    """The kinds of dates that ION has no form for."""
    names = {annotation.text for annotation in value.ion_annotations}
    if names & {"ZonedDateTime", "OffsetDateTime", "LocalDateTime"}:
        stamp = read_date(text, None, DEFAULT)
        return datetime.combine(stamp.day, stamp.clock or time(), stamp.zone)
    return time.fromisoformat(text) if "LocalTime" in names else text
