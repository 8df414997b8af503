"""Rendered properties in their type: text turned into numbers, durations, lists and maps (spec/engine 3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from casemate import durations
from casemate.expressions.errors import ExpressionError
from casemate.expressions.json_reading import read_json

_GENERIC = re.compile(r"(?P<kind>list|map)<(?:\w+,\s*)?(?P<inner>\w+)>")


def converted(text: str, kind: str) -> object:
    """The value of a rendered property of a type like `int`, `duration`, `list<string>`, `map<string,int>`.

    Raises `ExpressionError` when the text is not of that type.
    """
    generic = _GENERIC.fullmatch(kind)
    try:
        if generic is None:
            return _conversion(kind)(text)
        return _collection(read_json(text), generic["kind"], _conversion(generic["inner"]))
    except ValueError as error:
        raise ExpressionError(f"Cannot read '{text}' as {kind}: {error}") from error


def _conversion(kind: str) -> Callable[[str], object]:
    found = _CONVERSIONS.get(kind.lower())
    if found is None:
        raise ValueError("there is no such type")
    return found


def _collection(value: object, kind: str, convert: Callable[[str], object]) -> object:
    if kind == "list" and isinstance(value, list):
        return [_element(item, convert) for item in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: _element(item, convert) for key, item in value.items()}
    raise ValueError(f"a {kind} is expected")


def _element(value: object, convert: Callable[[str], object]) -> object:
    return value if isinstance(value, dict | list) or value is None else convert(_written(value))


def _written(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _boolean(text: str) -> bool:
    return text.lower() == "true"


_CONVERSIONS: Mapping[str, Callable[[str], object]] = {
    "string": str,
    "uri": str,
    "enum": str,
    "object": str,
    **dict.fromkeys(("int", "integer", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    **dict.fromkeys(("bool", "boolean"), _boolean),
    "duration": durations.parse,
}
