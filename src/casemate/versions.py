"""Versions of plugins: their order, and which one of those that are there a flow means (spec/isolation 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering
from typing import Final, NewType

Wanted = NewType("Wanted", str)
"""What a `version` may say: a version, the beginning of one, LATEST or OLDEST; see `wanted`."""

LATEST: Final = "LATEST"
OLDEST: Final = "OLDEST"
CURRENT: Final = "CURRENT"
NONE: Final = "NONE"
NAMED: Final = (LATEST, OLDEST, CURRENT, NONE)
"""What `kestra.plugins.management.default-version` may say besides a version."""

_WHOLE: Final = re.compile(
    r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-?([A-Za-z][0-9A-Za-z.-]{0,39}))?", re.A
)
_PART: Final = re.compile(r"(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){0,1}", re.ASCII)


class NotAVersion(ValueError):
    """Neither `MAJOR.MINOR.PATCH`, perhaps with a qualifier, nor what may stand for one."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """`MAJOR.MINOR.PATCH`, or the same with a qualifier (`1.2.0-rc1`, `1.2.0rc1`), which comes before it."""

    numbers: tuple[int, int, int]
    qualifier: str = ""

    def __lt__(self, other: Version) -> bool:
        return self._rank < other._rank

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers)) + (f"-{self.qualifier}" if self.qualifier else "")

    @property
    def _rank(self) -> tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...]]:
        words = re.findall(r"\d+|[A-Za-z]+", self.qualifier)
        parts = tuple((not word.isdigit(), int(word) if word.isdigit() else 0, word.lower()) for word in words)
        return self.numbers, not self.qualifier, parts


def version(text: str) -> Version:
    """A whole version. Raises `NotAVersion`."""
    if not (found := _WHOLE.fullmatch(text)):
        raise NotAVersion(text)
    return Version((int(found[1]), int(found[2]), int(found[3])), found[4] or "")


def wanted(text: str) -> Wanted:
    """What a flow may ask for, in its one spelling. Raises `NotAVersion`."""
    if text.upper() in (LATEST, OLDEST):
        return Wanted(text.upper())
    return Wanted(text if _PART.fullmatch(text) else str(version(text)))


def chosen(wish: Wanted, there: Iterable[Version]) -> Version | None:
    """The version that is meant: the newest or oldest, the very one, or the newest that begins so.

    What has a qualifier is only taken where there is nothing else, or where it is named whole.
    """
    known = sorted(there)
    if wish not in (LATEST, OLDEST):
        exact = [each for each in known if str(each) == wish]
        known = exact or [each for each in known if str(each).startswith(f"{wish}.")]
    ready = [each for each in known if not each.qualifier] or known
    return (ready[0] if wish == OLDEST else ready[-1]) if ready else None
