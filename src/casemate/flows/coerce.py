"""From a written scalar to the type a property wants, with Jackson's conversions and complaints (spec/engine 1.1.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from typing import Final

from casemate.catalog import Schema
from casemate.documents import Scalar
from casemate.flows.formats import FORMATS
from casemate.flows.misfits import JAVA, LEAVE_OUT, Misfit, java_name, mismatch, unreadable

_EXPRESSION: Final = re.compile(r"\{[{%]")
_WHOLE: Final = re.compile(r"\s*[-+]?[0-9]+\s*")
_DECIMAL: Final = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*")
_INT_RANGE: Final = range(-(2**31), 2**31)


def is_expression(text: str) -> bool:
    """The text holds a template, so what it means is known only once it is rendered."""
    return _EXPRESSION.search(text) is not None


def coerce(scalar: Scalar, schema: Schema) -> object | Misfit:
    """The value of a scalar in a place of this schema; None for null."""
    if scalar.value is None:
        return None
    if schema.dynamic and is_expression(scalar.text):
        return scalar.text
    for wanted, convert in _COERCIONS.items():
        if wanted in schema.types:
            return convert(scalar, schema)
    return mismatch(scalar, schema)


def _text(scalar: Scalar, schema: Schema) -> object | Misfit:
    text = scalar.text
    if schema.choices:
        return _choice(text, schema)
    if schema.format in FORMATS:
        return FORMATS[schema.format](text) if text.strip() else None
    return text


def _choice(text: str, schema: Schema) -> object | Misfit:
    if text in schema.choices:
        return text
    if not text:
        return Misfit(f'Cannot coerce empty String ("") to `{java_name(schema)}` value', LEAVE_OUT)
    accepted = ", ".join(schema.choices)
    return Misfit(unreadable(java_name(schema), text, f"not one of the values accepted for Enum class: [{accepted}]"))


def _integer(scalar: Scalar, schema: Schema) -> object | Misfit:
    value = scalar.value
    if isinstance(value, bool):
        return mismatch(scalar, schema)
    if isinstance(value, str):
        if not value.strip():
            return None
        if not _WHOLE.fullmatch(value) or len(value) > 20:
            return Misfit(unreadable(JAVA["integer"], value, "not a valid `java.lang.Integer` value"))
        value = int(value)
    assert isinstance(value, int | float)
    whole = int(value)
    if whole not in _INT_RANGE:
        return Misfit(f"Numeric value ({scalar.text}) out of range of int (-2147483648 - 2147483647)")
    return whole


def _number(scalar: Scalar, schema: Schema) -> object | Misfit:
    value = scalar.value
    if isinstance(value, bool):
        return mismatch(scalar, schema)
    if isinstance(value, str):
        if not value.strip():
            return None
        if not _DECIMAL.fullmatch(value) or not math.isfinite(float(value)):
            return Misfit(unreadable(JAVA["number"], value, "not a valid `Double` value"))
        return float(value)
    return value


def _boolean(scalar: Scalar, schema: Schema) -> object | Misfit:
    match scalar.value:
        case bool(value):
            return value
        case int(value):
            return value != 0
        case str(text) if not text.strip():
            return None
        case "true" | "True" | "TRUE":
            return True
        case "false" | "False" | "FALSE":
            return False
        case str(text):
            return Misfit(unreadable(JAVA["boolean"], text, 'only "true" or "false" recognized'))
    return mismatch(scalar, schema)


_COERCIONS: Final[AnyMapping[str, Callable[[Scalar, Schema], object | Misfit]]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
