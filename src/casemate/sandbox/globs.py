"""File patterns as Java's path matchers have them.

`*` and `?` stay within a folder, `**` crosses folders, `[a-z]` is one of several characters, `{csv,json}` one of
several texts. A tenant writes them and the worker matches them, so the time it takes is proportional to pattern times
path.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

from casemate.sandbox.errors import GlobInvalid

_MOST_ALTERNATIVES = 256
_LONGEST = 4096


class _Step(NamedTuple):
    """One place in a pattern: which characters it takes, and whether it takes any number of them."""

    takes: Callable[[str], bool]
    repeats: bool = False


class Glob:
    """A pattern for paths relative to a folder, which must match the whole path. GlobInvalid: it is not one."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > _LONGEST:
            raise GlobInvalid(f"A file pattern has more than {_LONGEST} characters.")
        plain = pattern.removeprefix("glob:").removeprefix("./")
        self._alternatives = tuple(tuple(_steps(alternative)) for alternative in _alternatives(plain))

    def matches(self, path: str) -> bool:
        """Whether this path, without a leading slash, is one the pattern means."""
        return any(_matches(steps, path) for steps in self._alternatives)


def _matches(steps: tuple[_Step, ...], path: str) -> bool:
    places = _reachable(steps, {0})
    for character in path:
        taken = {place for place in places if place < len(steps) and steps[place].takes(character)}
        places = _reachable(steps, {place if steps[place].repeats else place + 1 for place in taken})
    return len(steps) in places


def _reachable(steps: tuple[_Step, ...], places: set[int]) -> set[int]:
    """These places and those behind them that need no character to get to."""
    reached = set(places)
    for place in range(len(steps)):
        if place in reached and steps[place].repeats:
            reached.add(place + 1)
    return reached


def _alternatives(pattern: str) -> Iterator[str]:
    """The pattern without braces, once for each choice."""
    choices: list[list[str]] = []
    rest = pattern
    while "{" in rest:
        before, _, behind = rest.partition("{")
        inside, closed, rest = behind.partition("}")
        if not closed or "{" in inside:
            raise GlobInvalid(f"The braces in the file pattern '{pattern}' do not match.")
        choices += [[before], inside.split(",")]
    combined = list(itertools.islice(itertools.product(*choices, [rest]), _MOST_ALTERNATIVES + 1))
    if len(combined) > _MOST_ALTERNATIVES:
        raise GlobInvalid(f"The file pattern '{pattern}' has more than {_MOST_ALTERNATIVES} alternatives.")
    return ("".join(parts) for parts in combined)


def _steps(pattern: str) -> Iterator[_Step]:
    rest = pattern
    while rest:
        step, rest = _first_step(rest)
        yield step


def _first_step(pattern: str) -> tuple[_Step, str]:
    """The first step of a pattern and what follows it."""
    first, rest = pattern[0], pattern[1:]
    match first:
        case "*" if rest.startswith("*"):
            return _Step(_anything, repeats=True), rest[1:]
        case "*":
            return _Step(_within_folder, repeats=True), rest
        case "?":
            return _Step(_within_folder), rest
        case "[":
            return _class(pattern)
        case "\\" if rest:
            return _Step(rest[0].__eq__), rest[1:]
        case _:
            return _Step(first.__eq__), rest


def _class(pattern: str) -> tuple[_Step, str]:
    """`[abc]`, `[a-z]`, `[!a]`: one character, never a slash."""
    inside, closed, rest = pattern[1:].partition("]")
    if not closed or not inside.lstrip("!^"):
        raise GlobInvalid(f"A character class in the file pattern is not closed: '{pattern}'.")
    negated = inside[0] in "!^"
    ranges = tuple(_ranges(inside[1:] if negated else inside))

    def takes(character: str) -> bool:
        listed = any(low <= character <= high for low, high in ranges)
        return character != "/" and listed is not negated

    return _Step(takes), rest


def _ranges(listed: str) -> Iterator[tuple[str, str]]:
    while listed:
        if len(listed) > 2 and listed[1] == "-":
            yield listed[0], listed[2]
            listed = listed[3:]
        else:
            yield listed[0], listed[0]
            listed = listed[1:]


def _within_folder(character: str) -> bool:
    return character != "/"


def _anything(_character: str) -> bool:
    return True
