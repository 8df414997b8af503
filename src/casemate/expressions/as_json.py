"""Rendered values on their way out of this process."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.expressions.printing import printed


def as_json(value: object) -> object:
    """A rendered value as JSON has it: dates and the like as they print."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): as_json(each) for key, each in value.items()}
        case list() | tuple():
            return [as_json(each) for each in value]
    return printed(value)
