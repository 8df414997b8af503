"""Regular expressions of searches: SQLAlchemy's own `REGEXP` runs Python's, which one pattern can hold up for hours.

The database asks back: `matches(pattern, text)` is a function of ours that it calls for each row, in linear time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2
from sqlalchemy import ColumnElement, func

from casemate.errors import Problem, Refused

_NAME = "casemate_matches"
_LONGEST = 1000
"""Characters of a pattern."""


def provide(driver: Any) -> None:
    """Teaches a new connection of SQLite the function."""
    driver.create_function(_NAME, 2, _matches, deterministic=True)


def matching(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """Is the pattern somewhere in the column? Raises `Refused` for what RE2 does not take."""
    _compiled(pattern)
    return func.coalesce(getattr(func, _NAME)(pattern, column), 0) == 1


def _matches(pattern: str, text: str | None) -> int | None:
    return None if text is None else int(_compiled(pattern).search(text) is not None)


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    if len(pattern) > _LONGEST:
        raise Refused([Problem(code="search", message=f"A pattern may have {_LONGEST} characters", path="filters")])
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        message = f"{pattern[:100]!r} is no regular expression that can be searched for in linear time"
        raise Refused([Problem(code="search", message=message, path="filters")]) from error
