"""From a written scalar to the type a property wants, with Jackson's conversions and complaints (spec/engine 1.1.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import re2

from casemate import durations
from casemate.catalog import Format, Schema
from casemate.documents import Mapping, Node, Scalar, Sequence

JAVA: Final = {
    "string": "java.lang.String",
    "integer": "java.lang.Integer",
    "number": "java.lang.Double",
    "boolean": "java.lang.Boolean",
    "array": "java.util.ArrayList",
    "object": "java.util.LinkedHashMap",
}
_EXPRESSION: Final = re.compile(r"\{[{%]")
_WHOLE: Final = re.compile(r"\s*[-+]?[0-9]+\s*")
_INT_RANGE: Final = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class Misfit:
    """The scalar cannot become what is wanted. `illegal`: Kestra refuses it while parsing, not while validating."""

    message: str
    remedy: str = ""
    illegal: bool = True


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


def mismatch(node: Node, schema: Schema) -> Misfit:
    """The complaint about a node of the wrong kind: a list for a text, a text for a list."""
    java = java_name(schema)
    match node:
        case Scalar(value=str(text)) if not text.strip():
            return Misfit(
                f'Cannot coerce empty String ("") to element of `{java}`', "leave the key out, or give it a value"
            )
        case Scalar(value=str(text)):
            argument = "String-argument constructor/factory method to deserialize from String value"
            return Misfit(f"Cannot construct instance of `{java}`: no {argument} ('{text}')")
        case Scalar(value=bool(value)):
            found = f"Boolean value (token `JsonToken.VALUE_{str(value).upper()}`)"
        case Scalar(value=int()):
            found = "Integer value (token `JsonToken.VALUE_NUMBER_INT`)"
        case Scalar():
            found = "Floating-point value (token `JsonToken.VALUE_NUMBER_FLOAT`)"
        case Sequence():
            found = "Array value (token `JsonToken.START_ARRAY`)"
        case Mapping():
            found = "Object value (token `JsonToken.START_OBJECT`)"
    return Misfit(f"Cannot deserialize value of type `{java}` from {found}")


def java_name(schema: Schema) -> str:
    """The Java type that Kestra's messages name for this schema."""
    if schema.java or schema.format in _FORMATS:
        return schema.java or _FORMATS[schema.format][0]
    return next((JAVA[each] for each in JAVA if each in schema.types), "java.lang.Object")


def _text(scalar: Scalar, schema: Schema) -> object | Misfit:
    text = scalar.text
    if schema.choices:
        return _choice(text, schema)
    if schema.format in _FORMATS:
        java, read = _FORMATS[schema.format]
        return read(text, java) if text.strip() else None
    return text


def _choice(text: str, schema: Schema) -> object | Misfit:
    if text in schema.choices:
        return text
    if not text:
        return Misfit(
            f'Cannot coerce empty String ("") to `{java_name(schema)}` value', "leave the key out, or give it a value"
        )
    accepted = ", ".join(schema.choices)
    return Misfit(_unreadable(java_name(schema), text, f"not one of the values accepted for Enum class: [{accepted}]"))


def _integer(scalar: Scalar, schema: Schema) -> object | Misfit:
    value = scalar.value
    if isinstance(value, bool):
        return mismatch(scalar, schema)
    if isinstance(value, str):
        if not value.strip():
            return None
        if not _WHOLE.fullmatch(value) or len(value) > 20:
            return Misfit(_unreadable(JAVA["integer"], value, "not a valid `java.lang.Integer` value"))
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
        try:
            return float(value)
        except ValueError:
            return Misfit(_unreadable(JAVA["number"], value, "not a valid `Double` value"))
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
            return Misfit(_unreadable(JAVA["boolean"], text, 'only "true" or "false" recognized'))
    return mismatch(scalar, schema)


_COERCIONS: Final[AnyMapping[str, Callable[[Scalar, Schema], object | Misfit]]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}


# Texts that must mean something ---------------------------------------------------------------------------------------


def _duration(text: str, java: str) -> object | Misfit:
    try:
        return durations.printed(durations.parse(text.strip()))
    except durations.NotADuration as error:
        cause = f"(java.time.format.DateTimeParseException) {error}"
        remedy = "write PT30S, PT5M, PT1H, P1D, or a number of seconds"
        return Misfit(_unreadable(java, text, f"Failed to deserialize {java}: {cause}"), remedy)


def _date_time(text: str, java: str) -> object | Misfit:
    text = text.strip()
    try:
        read = datetime.fromisoformat(re.sub(r"\[[\w/+-]+\]$", "", text)) if "T" in text else None
    except ValueError:
        read = None
    return text if read is not None and read.tzinfo is not None else _undated(text, java, "2024-12-31T23:59:59Z")


def _date(text: str, java: str) -> object | Misfit:
    text = text.strip()
    try:
        datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a date alone has no zone
    except ValueError:
        return _undated(text, java, "2024-12-31")
    return text


def _time(text: str, java: str) -> object | Misfit:
    read = _time_of(text.strip())
    return text.strip() if read is not None and read.tzinfo is None else _undated(text, java, "23:59:59")


def _offset_time(text: str, java: str) -> object | Misfit:
    read = _time_of(text.strip())
    return text.strip() if read is not None and read.tzinfo is not None else _undated(text, java, "23:59:59+02:00")


def _time_of(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if text[2:3] == ":" else None
    except ValueError:
        return None


def _undated(text: str, java: str, example: str) -> Misfit:
    cause = f"(java.time.format.DateTimeParseException) Text '{text}' could not be parsed"
    return Misfit(_unreadable(java, text, f"Failed to deserialize {java}: {cause}"), f"write it like {example}")


def _timezone(text: str, java: str) -> object | Misfit:
    if re.fullmatch(r"Z|(?:UTC|GMT|UT)?[-+]\d{1,2}(?::?\d{2}){0,2}", text):
        return text
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        remedy = "write it like Europe/Paris"
        return Misfit(f"timezone '({text})' is not a valid time-zone ID", remedy, illegal=False)
    return text


def _regex(text: str, java: str) -> object | Misfit:
    try:
        re2.compile(text, _QUIET)
    except re2.error as error:
        cause = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        return Misfit(f"invalid pattern [{text}]", _regex_remedy(cause), illegal=False)
    return text


def _regex_remedy(cause: str) -> str:
    if "(?" in cause or "escape sequence" in cause:
        return (
            f"{cause}: look-around and back-references are not offered, so that no text can make a pattern run for ever"
        )
    return cause


_QUIET: Final = re2.Options()
_QUIET.log_errors = False
_FORMATS: Final[AnyMapping[Format | None, tuple[str, Callable[[str, str], object | Misfit]]]] = {
    Format.DURATION: ("java.time.Duration", _duration),
    Format.DATE_TIME: ("java.time.ZonedDateTime", _date_time),
    Format.INSTANT: ("java.time.Instant", _date_time),
    Format.DATE: ("java.time.LocalDate", _date),
    Format.TIME: ("java.time.LocalTime", _time),
    Format.OFFSET_TIME: ("java.time.OffsetTime", _offset_time),
    Format.TIMEZONE: (JAVA["string"], _timezone),
    Format.REGEX: (JAVA["string"], _regex),
}


def _unreadable(java: str, text: str, why: str) -> str:
    return f'Cannot deserialize value of type `{java}` from String "{text}": {why}'
