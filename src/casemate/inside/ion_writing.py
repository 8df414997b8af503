"""JSON values as ION text, one a line, as Kestra's row files have them (spec/engine 12.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_KEYWORDS = frozenset(("null", "true", "false", "nan"))


class Timestamp(str):
    """A date that is written as one: `2024-04-21T23:00:00.000Z`."""

    __slots__ = ()


def ion_text(value: object) -> str:
    """One value."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Timestamp():
            return str(value)
        case str():
            return _quoted(value, '"')
        case Mapping():
            return "{" + ",".join(f"{_name(str(key))}:{ion_text(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(ion_text, value)) + "]"
        case float():
            return _real(value)
    return str(value)


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) and name not in _KEYWORDS else _quoted(name, "'")


def _quoted(text: str, quote: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    escaped = re.sub(r"\\u00([0-9a-f]{2})", r"\\x\1", escaped).replace(quote, "\\" + quote)
    return f"{quote}{escaped}{quote}"


def _real(value: float) -> str:
    text = repr(value)
    if text in ("nan", "inf", "-inf"):
        return {"nan": "nan", "inf": "+inf", "-inf": "-inf"}[text]
    return text if "e" in text else f"{text.removesuffix('.0')}e0"
