"""Operations of Kestra's API that do not exist here yet: known by name, so that clients learn why they fail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from casemate.api.operation import specificity

Segments: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """One of them."""

    verb: str
    path: str
    name: str

    @property
    def segments(self) -> Segments:
        """The path in parts."""
        return tuple(self.path.split("/"))

    def part(self, name: str, path: str) -> str | None:
        """What a path that fits has in the place of a parameter; None if there is no such parameter."""
        pairs = zip(self.segments, path.split("/"), strict=True)
        return next((given for wanted, given in pairs if wanted == name), None)


def unbuilt(verb: str, path: str) -> Unbuilt | None:
    """The operation behind a request, if Kestra has it and we do not; the most specific one."""
    segments = tuple(path.split("/"))
    found = (row for area in _areas(segments) for row in _index().get((verb, len(segments), area), ()))
    return next((row for row in found if _fits(row.segments, segments)), None)


def instead_of(built: str, verb: str, path: str) -> Unbuilt | None:
    """The operation that a request really means, when one of ours only matches because it is less specific."""
    if "{" not in built:
        return None
    meant = unbuilt(verb, path)
    return meant if meant is not None and specificity(meant.path) < specificity(built) else None


@cache
def rows() -> tuple[Unbuilt, ...]:
    """All of them, the most specific first."""
    text = files("casemate.api").joinpath("unbuilt.tsv").read_text(encoding="utf-8")
    return tuple(
        sorted((Unbuilt(*line.split("\t")) for line in text.splitlines()), key=lambda row: specificity(row.path))
    )


@cache
def _index() -> Mapping[tuple[str, int, str], tuple[Unbuilt, ...]]:
    """By verb, length and area, so that a request looks at few of them."""
    found: defaultdict[tuple[str, int, str], list[Unbuilt]] = defaultdict(list)
    for row in rows():
        area = next(segment for segment in row.segments[3:] if not segment.startswith("{"))
        found[row.verb, len(row.segments), area].append(row)
    return {key: tuple(members) for key, members in found.items()}


def _areas(segments: Segments) -> Segments:
    """Where the area may stand: behind the version, or behind the tenant."""
    return tuple(segments[3:5])


def _fits(pattern: Segments, segments: Segments) -> bool:
    return all(wanted.startswith("{") or wanted == given for wanted, given in zip(pattern, segments, strict=True))
