"""Regular expressions of searches: SQLAlchemy's own `REGEXP` runs Python's, which one pattern can hold up for hours.

The database asks back: `matches(pattern, text)` is a function of ours that it calls for each row, in linear time.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func

from casemate.errors import Problem, Refused
from casemate.patterns import PatternRefused, compiled, within_effort

_NAME = "casemate_matches"
_LONGEST = 1000
"""Characters of a pattern."""
_LARGEST = 5_000
"""Instructions of a compiled pattern: it is held against every row."""


def provide(driver: Any) -> None:
    """Teaches a new connection of SQLite the function."""
    driver.create_function(_NAME, 2, _matches, deterministic=True)


def matching(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """Is the pattern somewhere in the column? Raises `Refused` for what RE2 does not take."""
    _compiled(pattern)
    return func.coalesce(getattr(func, _NAME)(pattern, column), 0) == 1


def _matches(pattern: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(within_effort(_compiled(pattern), text).search(text) is not None)
    except PatternRefused:
        return 0  # the database knows no other way out of one row, and a row that cannot be searched is not found


def _compiled(pattern: str) -> Any:
    if len(pattern) > _LONGEST:
        raise Refused([Problem(code="search", message=f"A pattern may have {_LONGEST} characters", path="filters")])
    try:
        found = compiled(pattern)
    except PatternRefused as error:
        message = f"{pattern[:100]!r} is no regular expression that can be searched for in linear time"
        raise Refused([Problem(code="search", message=message, path="filters")]) from error
    if found.programsize > _LARGEST:
        raise Refused([Problem(code="search", message="The pattern repeats too much to search by", path="filters")])
    return found
