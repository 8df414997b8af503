"""ION text into plain values, by Amazon's library (spec/engine 12.3). It is slow to load, so load it at first use."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timezone
from decimal import Decimal
from typing import Any

from amazon.ion import simpleion
from amazon.ion.core import IonType, TimestampPrecision
from amazon.ion.exceptions import IonException
from amazon.ion.simple_types import IonPyNull
from amazon.ion.symbols import SymbolToken

from casemate.expressions.budget import check_depth
from casemate.expressions.errors import Fault
from casemate.expressions.javatime.dates import read_date
from casemate.expressions.javatime.locales import DEFAULT


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
