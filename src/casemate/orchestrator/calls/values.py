"""Values of the KV store: what a text means as one of its types, and what may be kept (spec/engine 8.4, 12.2)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final, cast, get_args

from casemate import durations
from casemate.orchestrator.calls.model import Refusal, refuse
from casemate.store.kv import KvType

LARGEST: Final = 1 << 20
"""Bytes of one value as JSON."""
DEPTH: Final = 64
"""How deep a value may be nested."""

_TYPES: Final = frozenset(get_args(KvType))
_KEY: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,255}")


def checked_key(key: str) -> str:
    """The key, if it is one."""
    if not _KEY.fullmatch(key):
        refuse(f"Invalid key '{key[:300]}': it must match [a-zA-Z0-9][a-zA-Z0-9._-]* and be no longer than 256.")
    return key


def typed(value: object, wanted: str | None = None) -> tuple[object, KvType]:
    """The value as it is kept, and its type: the wanted one, into which texts are converted, or that of the value."""
    kind = _of(value) if wanted is None else wanted.upper()
    if kind not in _TYPES:
        refuse(f"Invalid kvType '{kind[:50]}': it must be one of {', '.join(get_args(KvType))}.")
    try:
        kept = _KINDS[kind](value)
    except (ValueError, OverflowError) as error:
        raise Refusal(f"Invalid value for the type {kind}: {error}") from error
    _check(kept)
    return kept, cast("KvType", kind)


def _of(value: object) -> str:
    match value:
        case bool():
            return "BOOLEAN"
        case int() | float():
            return "NUMBER"
        case str():
            return "STRING"
        case _:
            return "JSON"


def _string(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: object) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = _text(value).strip()
    number = int(text) if re.fullmatch(r"[-+]?\d+", text, re.ASCII) else float(text)
    if not math.isfinite(number):
        raise ValueError("it is not finite")
    return number


def _boolean(value: object) -> bool:
    return value if isinstance(value, bool) else _text(value).strip().lower() == "true"


def _datetime(value: object) -> str:
    moment = datetime.fromisoformat(re.sub(r"\[.*]$", "", _text(value).strip()))
    if moment.tzinfo is None:
        raise ValueError("it has no time zone")
    text = moment.astimezone(UTC).isoformat(timespec="microseconds" if moment.microsecond % 1000 else "milliseconds")
    return text.replace("+00:00", "Z")


def _date(value: object) -> str:
    return date.fromisoformat(_text(value).strip()).isoformat()


def _duration(value: object) -> int | float:
    """Seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    seconds = durations.parse(_text(value).strip()).total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_no_number)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEPTH} levels") from None


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_KINDS: Mapping[str, Callable[[object], object]] = {
    "STRING": _string,
    "NUMBER": _number,
    "BOOLEAN": _boolean,
    "DATETIME": _datetime,
    "DATE": _date,
    "DURATION": _duration,
    "JSON": _json,
}


def _check(value: object) -> None:
    """What is kept is read by others again: it must be JSON, not too deep and not too large."""
    if _deeper(value, DEPTH):
        refuse(f"The value is nested deeper than {DEPTH} levels.")
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    except (TypeError, ValueError) as error:
        raise Refusal(f"The value is not JSON: {error}") from error
    if size > LARGEST:
        refuse(f"The value has {size} bytes, more than the {LARGEST} that are allowed.")


def _deeper(value: object, levels: int) -> bool:
    children: list[object] = [value]
    for _ in range(levels + 1):
        children = [each for parent in children for each in _children(parent)]
        if not children:
            return False
    return True


def _children(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []
