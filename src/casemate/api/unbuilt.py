"""Operations of Kestra's API that do not exist here yet: known by name, so that clients learn why they fail."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def operation(verb: str, path: str) -> str | None:
    """The name of the operation behind a request, if Kestra has it and we do not."""
    segments = path.strip("/").split("/")
    return next((name for of, pattern, name in rows() if of == verb and _fits(pattern, segments)), None)


@cache
def rows() -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Verb, segments of the path and name of each; written-out segments before parameters."""
    text = files("casemate.api").joinpath("unbuilt.tsv").read_text(encoding="utf-8")
    found = [line.split("\t") for line in text.splitlines()]
    split = [(verb, tuple(path.strip("/").split("/")), name) for verb, path, name in found]
    return tuple(sorted(split, key=lambda row: [segment.startswith("{") for segment in row[1]]))


def _fits(pattern: tuple[str, ...], segments: list[str]) -> bool:
    same_length = len(pattern) == len(segments)
    return same_length and all(p.startswith("{") or p == s for p, s in zip(pattern, segments, strict=True))
