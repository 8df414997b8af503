"""What a ForEach goes through (spec/engine 4.1), and how Java would speak of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from casemate.executions.texts import read_json
from casemate.expressions import ExpressionError, printed


def values_of(rendered: object, written: object) -> tuple[str, ...]:
    """The texts of the values, duplicates dropped. `written` is the property before it was rendered.

    Raises ExpressionError with Kestra's text for shapes and elements that cannot be gone through.
    """
    elements = _elements(rendered, written)
    nulls = sum(element is None for element in elements)
    if nulls:
        raise ExpressionError(f"Found '{nulls}' null values on Each, with values={java_text(elements)}")
    return tuple(dict.fromkeys(printed(element) for element in elements))


def _elements(rendered: object, written: object) -> Sequence[object]:
    if isinstance(written, str) and isinstance(rendered, str):
        return _parsed(rendered)
    if not isinstance(rendered, list):
        raise ExpressionError(f"Unknown value type: {class_of(rendered)}")
    for element in rendered:
        # A number or a map among the elements is meant as such; anything else is more likely a slip of the pen.
        if isinstance(element, bool | float | list):
            raise ExpressionError(f"Unknown value element type: {class_of(element)}")
    return rendered


def _parsed(text: str) -> Sequence[object]:
    try:
        elements = read_json(text)
    except ValueError as error:
        raise ExpressionError(f"Invalid json: {error}") from error
    if not isinstance(elements, list):
        raise ExpressionError(f"Unknown value type: {class_of(elements)}")
    return elements


def java_text(value: object) -> str:
    """A value as Java prints it: `[1, null, {key=value}]`."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={java_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(java_text(one) for one in value) + "]"
    return printed(value)


def class_of(value: object) -> str:
    """The Java class that error texts name for a value of JSON."""
    for kind, name in _CLASSES:
        if isinstance(value, kind):
            return f"java.{name}"
    return "null" if value is None else "java.lang.Object"


_CLASSES: tuple[tuple[type, str], ...] = (
    (bool, "lang.Boolean"),
    (int, "lang.Integer"),
    (float, "lang.Double"),
    (str, "lang.String"),
    (list, "util.ArrayList"),
    (Mapping, "util.LinkedHashMap"),
)
