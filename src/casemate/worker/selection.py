"""Which files of its namespace does a task want? (spec/engine 8.4)

Patterns are matched against the path from the root of the namespace. One without a slash or a prefix in front means
files in any folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from casemate.patterns import PatternRefused, compiled, within_effort
from casemate.sandbox import Glob, GlobInvalid
from casemate.worker.errors import TaskFailed

_ROOTED = ("/", "glob:", "regex:")


def selected(paths: Iterable[str], include: Iterable[str], exclude: Iterable[str]) -> list[str]:
    """The paths, given without a slash in front, that are included and not excluded.

    Raises `TaskFailed` for a pattern that means nothing. Many paths take a while: not for the event loop.
    """
    wanted, unwanted = _any(include), _any(exclude)
    return [path for path in paths if wanted(f"/{path}") and not unwanted(f"/{path}")]


def _any(patterns: Iterable[str]) -> Callable[[str], bool]:
    matchers = [_matcher(spelling) for pattern in patterns for spelling in _spellings(pattern)]
    return lambda path: any(matches(path) for matches in matchers)


def _spellings(pattern: str) -> Iterator[str]:
    yield pattern
    if not pattern.startswith(_ROOTED):
        yield f"**/{pattern.removeprefix('./')}"


def _matcher(pattern: str) -> Callable[[str], bool]:
    try:
        return _expression(pattern) if pattern.startswith("regex:") else Glob(pattern).matches
    except (GlobInvalid, PatternRefused) as error:
        raise TaskFailed(f"Invalid file pattern '{pattern}': {error}") from None


def _expression(pattern: str) -> Callable[[str], bool]:
    expression = compiled(pattern.removeprefix("regex:"))
    return lambda path: _matches(expression, path)


def _matches(expression: Any, path: str) -> bool:
    try:
        return within_effort(expression, path).fullmatch(path) is not None
    except PatternRefused as error:
        raise TaskFailed(f"Invalid file pattern 'regex:{expression.pattern[:200]}': {error}") from None
