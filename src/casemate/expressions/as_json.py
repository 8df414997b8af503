"""Rendered values on their way out of this process."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.expressions.errors import ExpressionError, Fault
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


def ion_value(text: str) -> object:
    """The first value of an ION text as JSON has it. Raises `ExpressionError` when there is none, or too much of it."""
    # The library takes a while to load, and few ever need it.
    from casemate.expressions.ion_reading import read_ion

    try:
        return as_json(read_ion(text))
    except Fault as error:
        raise ExpressionError(str(error)) from error
