"""`core.log.Log`: write one message, or each of a list, to the log (spec/engine 8.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_JAVA_NAMES = {
    bool: "java.lang.Boolean",
    int: "java.lang.Integer",
    float: "java.lang.Double",
    dict: "java.util.LinkedHashMap",
}


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """Log `message`, a text or a list of texts, at `level` (INFO)."""
    properties = job["properties"]
    level = properties.get("level") or "INFO"
    for message in _messages(properties.get("message")):
        tell({"log": {"level": level, "message": message}})


def _messages(message: object) -> list[str]:
    match message:
        case str():
            return [message]
        case list():
            return [str(each) for each in message]
        case _:
            name = _JAVA_NAMES.get(type(message), type(message).__name__)
            raise ValueError(f"Invalid message type '{name}'")
