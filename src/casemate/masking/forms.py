"""In how many ways one value is written: as it is, line by line, and as usual programs and encodings show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from casemate.masking.digits import in_digits
from casemate.masking.escapes import escaped

SHORTEST: Final = 3
"""Shorter values are not covered: their letters stand in every other word, and stars there would tell them."""
TOO_SHORT: Final = "can not be masked in logs: it is too short, or a word or number that stands everywhere."
"""What is said of a value that is not `maskable`, never with the value."""

_COMMON: Final = frozenset(("true", "false", "null", "none"))
_SHORTEST_LINE: Final = 4


def maskable(value: str) -> bool:
    """Can it be covered? Not what stands everywhere: less than three characters or four digits, `true` and its like."""
    whole = value.strip()
    return len(whole) >= SHORTEST and whole.lower() not in _COMMON and not (whole.isdigit() and len(whole) < 4)


def forms(value: str) -> Iterator[str]:
    """The value in every way that is covered; none of one that is not `maskable`."""
    if not maskable(value):
        return
    whole = value.strip()
    # A script's output arrives line by line: a key of several lines would never be found as a whole.
    if "\n" in whole:
        lines = (line.strip() for line in whole.splitlines())
        yield from (line for line in lines if len(line) >= _SHORTEST_LINE and maskable(line))
    for text in {value, whole}:
        # UTF-16, read as if it were not, has a zero beside each letter.
        yield from (text, "\0".join(text))
        yield from escaped(text)
        yield from in_digits(text.encode("utf-8", "replace"))
