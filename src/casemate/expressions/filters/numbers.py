"""Filters of numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from casemate.expressions import given as arguments
from casemate.expressions.decimal_format import DEFAULT_PATTERN, format_number
from casemate.expressions.errors import Fault
from casemate.expressions.filters.filter import Filter
from casemate.expressions.given import Given
from casemate.expressions.printing import java_double
from casemate.expressions.run import Run
from casemate.expressions.values import Big, Float32, Long, class_name, is_number, narrowed

Number = int | float | Decimal

_INTEGER = re.compile(r"(?P<sign>[-+]?)(?:(?:0[xX]|#)(?P<hex>[0-9a-fA-F]+)|0(?P<octal>[0-9]+)|(?P<decimal>[0-9]+))")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SUFFIXES = {"l": "LONG", "f": "FLOAT", "d": "DOUBLE"}
_LONGEST = 1000  # characters of a number in a text
_SIZES = {"INT": 1 << 31, "LONG": 1 << 63}


def _abs(value: Any, _given: Given, _run: Run) -> Number:
    if value is None:
        raise Fault('Can not pass null value to "abs" filter.')
    if not is_number(value):
        raise Fault("The 'abs' filter does require as input a number.")
    size = cast("Number", abs(value))
    return type(value)(size) if isinstance(value, Long | Float32) else size


def _number_format(value: object, given: Given, _run: Run) -> str:
    if not is_number(value):
        raise Fault("The input for the 'NumberFormat' filter has to be a number.")
    pattern = arguments.optional_text(given, "format")
    return format_number(value, DEFAULT_PATTERN if pattern is None else pattern)


def _number(value: object, given: Given, _run: Run) -> Number:
    if not isinstance(value, str):
        what = "'number' filter can only be applied to String."
        raise Fault(f"{what} Actual type was: {class_name(value)}")
    if len(value) > _LONGEST:
        raise Fault(f"A number of more than {_LONGEST} characters is refused")
    reader = _READERS.get(arguments.optional_text(given, "type") or "", _smallest)
    return reader(value)


def _smallest(text: str) -> Number:
    """The smallest type that holds the number: integer, long, bigger; float where it prints like the double."""
    if not text.strip():
        raise Fault("A blank string is not a valid number")
    kind = _SUFFIXES.get(text[-1].lower())
    if kind is not None and not text.lower().startswith(("0x", "-0x", "+0x")):
        return _READERS[kind](text[:-1])
    if _INTEGER.fullmatch(text):
        return _whole(text)
    if not _DECIMAL.fullmatch(text):
        raise Fault(f"{text} is not a valid number.")
    return _smallest_decimal(text)


def _smallest_decimal(text: str) -> Number:
    double, exact = float(text), Decimal(text)
    if math.isinf(double):
        return exact
    narrow = narrowed(double)
    if java_double(narrow) == java_double(double) and (narrow or not exact):
        return narrow
    return double if Decimal(repr(double)) == exact else exact


def _whole(text: str) -> int:
    found = _INTEGER.fullmatch(text)
    if found is None:
        raise _malformed(text)
    digits, base = (found["hex"], 16) if found["hex"] else (found["octal"] or found["decimal"], 10)
    if found["octal"]:
        base = 8
    try:
        number = int(digits, base)
    except ValueError:
        raise Fault(f'For input string: "{digits}" under radix {base}') from None
    return -number if found["sign"] == "-" else number


def _sized(kind: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = _whole(text)
        if not -_SIZES[kind] <= number < _SIZES[kind]:
            raise _malformed(text)
        return Long(number) if kind == "LONG" else number

    return read


def _double(text: str) -> float:
    if not _DECIMAL.fullmatch(text.strip().rstrip("fFdD")):
        raise _malformed(text)
    return float(text.strip().rstrip("fFdD"))


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _malformed(text) from None


def _malformed(text: str) -> Fault:
    return Fault(f'For input string: "{text}"')


_READERS: Mapping[str, Callable[[str], Number]] = {
    "INT": _sized("INT"),
    "LONG": _sized("LONG"),
    "FLOAT": lambda text: narrowed(_double(text)),
    "DOUBLE": _double,
    "BIGDECIMAL": _exact,
    "BIGINTEGER": lambda text: Big(_whole(text)),
}

NUMBERS: Mapping[str, Filter] = {
    "abs": Filter(_abs, takes_null=True),
    "number": Filter(_number, ("type",)),
    "numberFormat": Filter(_number_format, ("format",)),
}
