"""The values of the language: Python's own, plus the few that Java tells apart and templates can see.

A whole number from outside is a Java Integer as far as it fits, one written in a template is a Long; templates notice
by `className`, by `randomInt` and in error texts. An aware datetime in `datetime.UTC` is an Instant, in any other zone
a ZonedDateTime, a naive one a LocalDateTime.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeGuard
from uuid import UUID

from casemate.expressions.errors import Fault

_INTEGER = 1 << 31
_LONG = 1 << 63


class Long(int):
    """A 64-bit integer: a literal or the result of arithmetic."""

    __slots__ = ()


class Big(int):
    """An integer without bounds, asked for as such."""

    __slots__ = ()


class Float32(float):
    """A 32-bit float, held as the double of the same value."""

    __slots__ = ()


class Written(dict[Any, object]):
    """A map that was written in a template; Java has another class for it than for maps from outside."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What a `for` over a map yields."""

    key: object
    value: object


def wrapped(number: int) -> Long:
    """A number in 64 bits; more wraps around as in Java, so numbers never grow without end."""
    return Long((number + _LONG) % (_LONG << 1) - _LONG)


def narrowed(number: float) -> Float32:
    """The nearest 32-bit float."""
    try:
        return Float32(struct.unpack("f", struct.pack("f", number))[0])
    except OverflowError:
        return Float32(math.copysign(math.inf, number))


def is_number(value: object) -> TypeGuard[int | float | Decimal]:
    """A number, which a boolean is not."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def is_whole(value: object) -> TypeGuard[int]:
    """An integer, which a boolean is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def items(value: object) -> list[object] | tuple[object, ...] | None:
    """The elements of a list or set, None for anything else."""
    if isinstance(value, list | tuple):
        return value
    return list(value) if isinstance(value, Set) else None


def truth(value: object) -> bool:
    """Whether an operand of `and`, `or`, `not`, `if` or `? :` holds; raises `Fault` for what is neither yes nor no."""
    if isinstance(value, bool):
        return value
    if is_number(value):
        return value != 0 and value == value  # NaN is no
    if isinstance(value, str):
        return value != ""
    raise Fault(f"class {class_name(value)} cannot be cast to class java.lang.Boolean")


def class_name(value: object) -> str:
    """The name of the Java class that Kestra would have there."""
    if is_whole(value):
        return f"java.{_whole_class(value)}"
    for kind, name in _CLASSES:
        if isinstance(value, kind):
            return f"java.{name}"
    if isinstance(value, datetime):
        return f"java.time.{_moment_class(value)}"
    return "java.time.LocalDate" if isinstance(value, date) else "java.lang.Object"


_CLASSES: tuple[tuple[type, str], ...] = (
    (bool, "lang.Boolean"),
    (str, "lang.String"),
    (Float32, "lang.Float"),
    (float, "lang.Double"),
    (Decimal, "math.BigDecimal"),
    (Written, "util.HashMap"),
    (Mapping, "util.LinkedHashMap"),
    (list, "util.ArrayList"),
    (tuple, "util.ArrayList"),
    (Set, "util.LinkedHashSet"),
    (timedelta, "time.Duration"),
    (time, "time.LocalTime"),
    (Entry, "util.Map$Entry"),
    (UUID, "util.UUID"),
)


def _whole_class(value: int) -> str:
    if isinstance(value, Long):
        return "lang.Long"
    if isinstance(value, Big):
        return "math.BigInteger"
    if -_INTEGER <= value < _INTEGER:
        return "lang.Integer"
    return "lang.Long" if -_LONG <= value < _LONG else "math.BigInteger"


def _moment_class(value: datetime) -> str:
    if value.tzinfo is None:
        return "LocalDateTime"
    return "Instant" if value.tzinfo is UTC else "ZonedDateTime"
