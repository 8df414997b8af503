"""Regular expressions that people write into flows and requests: what they may cost, wherever they are matched.

RE2 never backtracks: its time grows with the length of the text. But it grows with the size of the pattern as well:
`(a|aa|b?){500}` would be busy with a megabyte for a minute, and nothing could stop it. So what pattern and text ask
for together is worked out first, and too much is refused before it begins. That is the time limit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import re2

EFFORT: Final = 200_000_000
"""Instructions of a pattern times characters of a text: about three seconds in the worst case, mostly a few ms."""
LONGEST: Final = 10_000
"""Characters of a pattern."""


class PatternRefused(ValueError):
    """The pattern is none, or would take too long."""


@lru_cache(maxsize=512)
def compiled(pattern: str, *, case_sensitive: bool = True) -> Any:
    """The pattern, ready to use. Raises `PatternRefused` for what RE2 does not take, with its reason."""
    if len(pattern) > LONGEST:
        raise PatternRefused(f"it is longer than {LONGEST} characters")
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternRefused(_reason(error)) from error


def cost(pattern: Any, text: str) -> int:
    """What a compiled pattern takes for a text at most, to be held against `EFFORT`."""
    steps: int = pattern.programsize * len(text)
    return steps


def within_effort(pattern: Any, text: str) -> Any:
    """The same compiled pattern. Raises `PatternRefused` if this text would take it too long."""
    if cost(pattern, text) > EFFORT:
        raise PatternRefused(f"it would take too long on a text of {len(text)} characters")
    return pattern


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "it holds half a character"
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
