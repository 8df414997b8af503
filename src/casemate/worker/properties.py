"""A task's properties once they are rendered (spec/engine 3.1).

A list or a map may have been written as one expression that gave its JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from casemate.worker.errors import TaskFailed


def texts(properties: Mapping[str, object], name: str) -> tuple[str, ...]:
    """A list of texts; absent means empty, a single text is a list of one."""
    value = _parsed(properties.get(name), "[")
    if value is None or value == "":
        return ()
    return tuple(text(item) for item in value) if isinstance(value, list | tuple) else (text(value),)


def mapping(properties: Mapping[str, object], name: str) -> Mapping[str, object]:
    """A map; absent means empty."""
    value = _parsed(properties.get(name), "{")
    if value is None or value == "":
        return {}
    if not isinstance(value, Mapping):
        raise TaskFailed(f"Invalid `{name}` property: a map was expected, not `{text(value)[:200]}`")
    return {str(key): item for key, item in value.items()}


def flag(properties: Mapping[str, object], name: str, default: bool) -> bool:
    """A yes or no."""
    value = properties.get(name)
    if value is None:
        return default
    return value if isinstance(value, bool) else text(value).strip().lower() == "true"


def text(value: object) -> str:
    """One value as the text that a program or a file gets."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case Mapping() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
        case _:
            return str(value)


def _parsed(value: object, opening: str) -> object:
    if isinstance(value, str) and value.lstrip().startswith(opening):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
