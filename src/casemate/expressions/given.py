"""Arguments as filters and functions find them, each with the text for a missing or unfit one."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.expressions.errors import Fault
from casemate.expressions.values import class_name, is_whole

Given = Mapping[str, object]


def text(value: object) -> str:
    """A value that must be a text; anything else fails as Java's cast does."""
    if not isinstance(value, str):
        raise unfit(value, "lang.String")
    return value


def unfit(value: object, wanted: str) -> Fault:
    """Java's words for a value of another class."""
    return Fault(f"class {class_name(value)} cannot be cast to class java.{wanted}")


def optional_text(given: Given, name: str) -> str | None:
    """A text argument, None when it is missing or null."""
    value = given.get(name)
    return None if value is None else text(value)


def whole(given: Given, name: str) -> int | None:
    """An integer argument, None when it is missing or null."""
    value = given.get(name)
    if value is None:
        return None
    if not is_whole(value):
        raise unfit(value, "lang.Long")
    return int(value)


def flag(given: Given, name: str, default: bool) -> bool:
    """A boolean argument."""
    value = given.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise unfit(value, "lang.Boolean")
    return value


def required(given: Given, name: str, refusal: str) -> object:
    """An argument that must be there, be it null."""
    if name not in given:
        raise Fault(refusal)
    return given[name]
