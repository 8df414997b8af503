"""Replacing words in sources: what would become of each line, within one section of the flow or in all of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from casemate.api.errors import illegal_argument
from casemate.api.sources import Wanted, compiled, section

MOST = 10_000
"""The most matches in one source."""
LARGEST = 1 << 20
"""The most characters that a source may grow to."""

_REFERENCE = re.compile(r"\\(.)|\$(\d)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Changed:
    """A line before and after; it counts from 1."""

    line: int
    before: str
    after: str


def changes(source: str, wanted: Wanted, replacement: str, column: int | None = None) -> tuple[Changed, ...]:
    """What becomes of every line that matches, or matches at this column, counted from 1.

    In the replacement of a regular expression `$1` is what its first group matched. Raises 422 when there are too many
    matches, or the source would grow too large.
    """
    pattern, lines = compiled(wanted, source), section(source, wanted.scope)
    matches, letters, found = MOST, LARGEST, []
    for number, line in enumerate(source.split("\n"), 1):
        if number not in lines:
            continue
        here = _matches(pattern, line, matches, column)
        if here:
            after = _replaced(line, here, replacement, letters, regex=wanted.regex)
            matches, letters = matches - len(here), letters - len(after)
            found.append(Changed(number, line, after))
    return tuple(found)


def _matches(pattern: Any, line: str, most: int, column: int | None) -> list[Any]:
    # Each match takes a while: see test_a_source_is_not_searched_for_ever.
    found = list(islice(pattern.finditer(line), most + 1))
    if len(found) > most:
        raise illegal_argument(f"there are more than {MOST} matches in one flow")
    return [one for one in found if column in (None, one.start() + 1)]


def with_changes(source: str, changed: tuple[Changed, ...]) -> str:
    """The source with these lines changed."""
    lines = source.split("\n")
    for each in changed:
        lines[each.line - 1] = each.after
    return "\n".join(lines)


def _replaced(line: str, matches: Iterable[Any], replacement: str, left: int, *, regex: bool) -> str:
    """The line with these matches replaced, piece by piece: a short text may ask for an endless one."""
    pieces, at = [], 0
    for match in matches:
        pieces += [line[at : match.start()], _expanded(match, replacement) if regex else replacement]
        left -= len(pieces[-1]) + len(pieces[-2])
        if left < 0:
            raise illegal_argument(f"the source would have more than {LARGEST} characters")
        at = match.end()
    return "".join([*pieces, line[at:]])


def _expanded(match: Any, replacement: str) -> str:
    return "".join(_pieces(match, replacement))


def _pieces(match: Any, replacement: str) -> Iterator[str]:
    """As Java reads a replacement: `$1` is a group, a backslash takes the meaning of what follows it."""
    at = 0
    for reference in _REFERENCE.finditer(replacement):
        yield replacement[at : reference.start()]
        at = reference.end()
        if reference[1] is not None:
            yield reference[1]
        elif int(reference[2]) > match.re.groups:
            raise illegal_argument(f"the regular expression has no group {reference[2]}")
        else:
            yield match.group(int(reference[2])) or ""
    yield replacement[at:]
