"""Values that do not fit their place, in Jackson's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from casemate.catalog import Format, Schema
from casemate.documents import Mapping, Node, Scalar, Sequence

LEAVE_OUT: Final = "leave the key out, or give it a value"
JAVA: Final = {
    "string": "java.lang.String",
    "integer": "java.lang.Integer",
    "number": "java.lang.Double",
    "boolean": "java.lang.Boolean",
    "array": "java.util.ArrayList",
    "object": "java.util.LinkedHashMap",
}
"""Java's names for the types of a schema."""

TIMES: Final = {
    Format.DURATION: "java.time.Duration",
    Format.DATE_TIME: "java.time.ZonedDateTime",
    Format.INSTANT: "java.time.Instant",
    Format.DATE: "java.time.LocalDate",
    Format.TIME: "java.time.LocalTime",
    Format.OFFSET_TIME: "java.time.OffsetTime",
}
"""Java's names for what a text must mean."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """The scalar cannot become what is wanted. `illegal`: Kestra refuses it while parsing, not while validating."""

    message: str
    remedy: str = ""
    illegal: bool = True


def mismatch(node: Node, schema: Schema) -> Misfit:
    """The complaint about a node of the wrong kind: a list for a text, a text for a list."""
    java = java_name(schema)
    match node:
        case Scalar(value=str(text)) if not text.strip():
            return Misfit(f'Cannot coerce empty String ("") to element of `{java}`', LEAVE_OUT)
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
    if schema.java:
        return schema.java
    if schema.format in TIMES:
        return TIMES[schema.format]
    return next((JAVA[each] for each in JAVA if each in schema.types), "java.lang.Object")


def unreadable(java: str, text: str, why: str) -> str:
    """The complaint about a text that cannot become this Java type."""
    return f'Cannot deserialize value of type `{java}` from String "{text}": {why}'
