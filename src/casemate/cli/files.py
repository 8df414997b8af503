"""Files that a user names on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from casemate.errors import CasemateError

LARGEST_FLOWS: Final = 16 * 1024 * 1024
"""Bytes of one file of flows: what the server takes of several flows at once. A single one may have 1 MiB."""


class Unreadable(CasemateError):
    """A file that was named cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


@dataclass(frozen=True, slots=True)
class Odd:
    """Something below a folder that is not read, and why."""

    path: Path
    reason: str


def text_of(path: Path) -> str:
    """The text of a file in UTF-8; raises `Unreadable`, whose text names the file and the reason."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise Unreadable(path, (error.strerror or "cannot be read").lower()) from error


def flows_of(path: Path) -> str:
    """The text of a file of flows, which may not be larger than `LARGEST_FLOWS`; raises `Unreadable`."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FLOWS + 1)
        if len(content) > LARGEST_FLOWS:
            raise Unreadable(path, f"is larger than {LARGEST_FLOWS} bytes")
        # As a text file is read: other ends of lines become the usual one.
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise Unreadable(path, (error.strerror or "cannot be read").lower()) from error


def flow_files(paths: Iterable[Path]) -> Iterator[Path | Odd]:
    """Every file named, and the YAML files below each folder named, in order; a folder without any is odd.

    Raises `Unreadable` for a path at which nothing is.
    """
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise Unreadable(path, "no such file or directory")
            yield path
        else:
            yield from [*_below(path)] or [Odd(path, "no .yaml or .yml file in this folder")]


def _below(folder: Path) -> Iterator[Path | Odd]:
    """In the order of names. Links to folders are not followed, those to files only within the folder."""
    inside = Path(os.path.realpath(folder))
    for place, folders, names in os.walk(folder, onerror=_not_listed):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            # Also `.yaml` and `a.YAML`: what deploys flows may take them.
            if name.lower().endswith((".yaml", ".yml")):
                yield _judged(path, inside)


def _judged(path: Path, inside: Path) -> Path | Odd:
    # What somebody sends for review must not name files of the machine that checks it: messages show parts of them.
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
        return Odd(path, "is a link that leads out of the folder, and is not followed")
    return path if path.is_file() else Odd(path, "is no file that can be read")


def _not_listed(error: OSError) -> None:
    raise Unreadable(Path(error.filename), (error.strerror or "cannot be listed").lower()) from error
