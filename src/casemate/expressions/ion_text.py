"""ION text as Kestra writes its rows (spec/engine 12.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Set
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from casemate.expressions.budget import Meter, check_depth
from casemate.expressions.javatime.texts import json_moment, seconds_text, zone_suffix
from casemate.expressions.printing import java_double, java_text
from casemate.expressions.values import class_name

_SYMBOL = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_KEYWORDS = frozenset(("null", "true", "false", "nan"))


def ion_text(value: object, meter: Meter, depth: int = 0) -> str:
    """One value as ION text; nulls in maps are kept."""
    meter.step()
    check_depth(depth)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            meter.charge(len(value))
            return _quoted(value, '"')
        case Mapping():
            fields = (f"{_name(key, meter)}:{ion_text(item, meter, depth + 1)}" for key, item in value.items())
            return "{" + ",".join(fields) + "}"
        case list() | tuple() | Set():
            return "[" + ",".join(ion_text(item, meter, depth + 1) for item in value) + "]"
        case float():
            return _float(value)
        case date() | time() | timedelta():
            return _moment(value)
        case int() | Decimal():
            return java_text(value, meter)
    return _quoted(java_text(value, meter), '"')


def _name(key: object, meter: Meter) -> str:
    name = key if isinstance(key, str) else java_text(key, meter)
    return name if _SYMBOL.fullmatch(name) and name not in _KEYWORDS else _quoted(name, "'")


def _quoted(text: str, quote: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    escaped = re.sub(r"\\u00([0-9a-f]{2})", r"\\x\1", escaped).replace(quote, "\\" + quote)
    return f"{quote}{escaped}{quote}"


def _float(value: float) -> str:
    text = java_double(float(value))  # 32-bit floats are widened
    if text[-1] in "Ny":
        return {"NaN": "nan", "Infinity": "+inf", "-Infinity": "-inf"}[text]
    return text if "E" in text else text.removesuffix(".0") + "e0"


def _moment(value: date | time | timedelta) -> str:
    if isinstance(value, timedelta):
        return seconds_text(value)
    if isinstance(value, datetime) and value.tzinfo is UTC:
        return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    if not isinstance(value, datetime | time):
        return value.isoformat()
    kind = class_name(value).rpartition(".")[2]
    zone = value.tzinfo if isinstance(value, datetime) else None
    return f'{kind}::"{json_moment(value, zone or UTC)}{zone_suffix(zone)}"'
