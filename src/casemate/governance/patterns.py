"""Regular expressions of policies, and what they may cost on a text that a flow says."""

from __future__ import annotations

from typing import Any

from casemate.governance.errors import Unable
from casemate.patterns import PatternRefused, compiled, within_effort


def usable(pattern: str) -> Any:
    """The pattern; raises `ValueError` for one that cannot be used."""
    try:
        return compiled(pattern)
    except PatternRefused as error:
        raise ValueError(f"the pattern '{pattern}' is refused: {error}") from error


def fits(pattern: str, text: str) -> bool:
    """Does the pattern describe the whole text? Raises `Unable` if that would take too long to say."""
    try:
        return within_effort(usable(pattern), text).fullmatch(text) is not None
    except PatternRefused as error:
        raise Unable(f"a policy's pattern: {error}") from error
