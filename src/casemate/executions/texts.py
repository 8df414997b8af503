"""Texts of JSON that come from tenants."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping

_DEPTH = 200
"""How deep a value may be nested: whatever prints, opens or stores it later goes down as deep."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_TOO_DEEP = f"It is nested more than {_DEPTH} levels deep"


def read_json(text: str | bytes) -> object:
    """The value of a JSON text. Raises ValueError for any other text, for what is nested too deeply, and for half a
    surrogate pair: nothing that holds one could be shown again.
    """
    try:
        value = json.loads(text, parse_constant=_no_json, parse_float=_finite)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if _deeper(value, _DEPTH):
        raise ValueError(_TOO_DEEP)
    if _SURROGATE.search(text if isinstance(text, bytes) else text.encode()):
        # Kept once, it would make every search that finds it fail: see test_half_a_character_is_never_kept.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def json_size(value: object) -> int:
    """How many bytes a value has as JSON, in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))


def _no_json(constant: str) -> object:
    # Python would read NaN and Infinity, which no one who asks for the value could be given as JSON again.
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is more than a number can hold")
    return number


def _deeper(value: object, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()
