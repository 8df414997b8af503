"""Splitting a file by its lines, in bounded memory as long as the lines are (spec/engine 8.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from casemate.inside.reading import maybe, number
from casemate.inside.stored import lines

_SIZE = re.compile(r"(\d+)\s*([KMGT]?)B?", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_MOST = 10_000
_MOST_PARTITIONS = 512
"""As many as are open at once."""


def parts_of(properties: Mapping[str, Any], source: Path, name: str, suffix: str) -> list[str]:
    """Split into chunks of so many `bytes`, so many `partitions` or so many `rows`, the first of these that is given.

    The files it makes are numbered, with as many digits each. ValueError: none is given, or what is given is no size.
    """
    separator = str(properties.get("separator") or "\n")
    rows = (f"{line}{separator}".encode("utf-8", "surrogateescape") for line in lines(source))
    names = (f"{name}-{count:06}{suffix}" for count in range(_MOST + 1))
    return [str(path) for path in _parts(properties, rows, names)]


def _parts(properties: Mapping[str, Any], rows: Iterable[bytes], names: Iterator[str]) -> list[Path]:
    size, most = maybe(properties.get("bytes")), number(properties.get("rows"))
    partitions = number(properties.get("partitions"))
    if size is not None:
        limit = _bytes(size)
        return _chunks(rows, names, lambda _, written: written >= limit)
    if partitions is not None:
        return _dealt(rows, names, partitions)
    if most is not None:
        return _chunks(rows, names, lambda count, _: count >= most)
    raise ValueError("Invalid configuration with no size, count, nor rows")


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"Invalid size with value '{text}'")
    unit: int = 1024 ** _POWERS[found[2].upper()]
    return int(found[1]) * unit


def _chunks(rows: Iterable[bytes], names: Iterator[str], full: Callable[[int, int], bool]) -> list[Path]:
    """One file after the other; each is closed once it is full."""
    parts: list[Path] = []
    remaining = iter(rows)
    for row in remaining:
        parts.append(_next(names))
        with parts[-1].open("xb") as chunk:
            count, written = 1, chunk.write(row)
            while not full(count, written) and (following := next(remaining, None)) is not None:
                count, written = count + 1, written + chunk.write(following)
    return parts


def _dealt(rows: Iterable[bytes], names: Iterator[str], partitions: int) -> list[Path]:
    """A fixed number of files, a row to each in turn; those that get none are left out."""
    if not 0 < partitions <= _MOST_PARTITIONS:
        raise ValueError(f"Invalid number of partitions {partitions}: it must be from 1 to {_MOST_PARTITIONS}.")
    parts: list[Path] = []
    with ExitStack() as stack:
        files = []
        for count, row in enumerate(rows):
            if count < partitions:
                parts.append(_next(names))
                files.append(stack.enter_context(parts[-1].open("xb")))
            files[count % partitions].write(row)
    return parts


def _next(names: Iterator[str]) -> Path:
    name = next(names)
    if f"-{_MOST:06}" in name:
        raise ValueError(f"A file can be split into {_MOST} chunks, and not into more.")
    return Path(name)
