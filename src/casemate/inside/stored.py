"""Files of internal storage that the worker has put into the working directory, and new ones on their way there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

_PIECE = 1 << 16
_EXTENSION = re.compile(r"\.[-\w]{1,32}")


def fetched(job: Mapping[str, Any], address: object) -> Path:
    """Where the file of an address lies. FileNotFoundError: the task was not given it."""
    place = job.get("files", {}).get(str(address).strip())
    if place is None:
        raise FileNotFoundError(f"Invalid file '{address}': it must be the address of a file, kestra:///...")
    return Path(place)


def copied(source: BinaryIO, target: BinaryIO) -> None:
    """Write all that is left of one file to the end of another."""
    while piece := source.read(_PIECE):
        target.write(piece)


def extension(address: object, default: str = "") -> str:
    """The extension of an address, with its dot."""
    suffix = PurePosixPath(str(address).strip()).suffix
    return suffix if _EXTENSION.fullmatch(suffix) else default


def lines(path: Path, charset: str = "utf-8") -> Iterator[str]:
    """The lines of a text file without their ends, in bounded memory as long as the lines are."""
    # Bytes that are no text go through as they are.
    with path.open(encoding=charset, errors="surrogateescape") as file:
        for line in file:
            yield line.removesuffix("\n")
