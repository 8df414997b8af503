"""Values of the language as ordinary Python, for those outside this room."""

from __future__ import annotations

from collections.abc import Mapping, Set

from casemate.expressions.budget import Meter, check_depth
from casemate.expressions.values import Big, Entry, Float32, Long


def plain(value: object, meter: Meter, depth: int = 0) -> object:
    """The value made of Python's own numbers, dicts and lists; raises `BudgetExceeded` when it is too large."""
    meter.step()
    check_depth(depth)
    match value:
        case Long() | Big():
            return int(value)
        case Float32():
            return float(value)
        case Mapping():
            return {plain(key, meter, depth + 1): plain(item, meter, depth + 1) for key, item in value.items()}
        case list() | tuple() | Set():
            return [plain(item, meter, depth + 1) for item in value]
        case Entry():
            return {plain(value.key, meter, depth + 1): plain(value.value, meter, depth + 1)}
    return value
