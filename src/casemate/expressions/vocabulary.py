"""Which names the language knows: for completion in editors, and for whoever asks."""

from __future__ import annotations

from casemate.expressions.filters import FILTERS
from casemate.expressions.functions import FUNCTIONS


def filter_names() -> tuple[str, ...]:
    """Every filter, in alphabetical order."""
    return tuple(sorted(FILTERS))


def function_parameters() -> dict[str, tuple[str, ...]]:
    """Every function with the names of its arguments; none are known of one that takes any number."""
    return {name: FUNCTIONS[name].parameters or () for name in sorted(FUNCTIONS)}
