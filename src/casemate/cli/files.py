"""Files that a user names on the command line."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from casemate.errors import CasemateError

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of one file. Of flows it is what the server takes of several at once; a single one may have 1 MiB."""
_LONGEST_NAME: Final = 200


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
    """The text of a file in UTF-8, perhaps of a pipe, of `LARGEST` bytes at most; raises `Unreadable`."""
    return _text(path, os.O_RDONLY)


def regular_text_of(path: Path) -> str:
    """The same for a file that others may have put there: nothing but a regular one is read."""
    # Whoever opens a pipe waits for somebody who writes.
    return _text(path, os.O_RDONLY | os.O_NONBLOCK)


def content_of(path: Path, flags: int = os.O_RDONLY) -> bytes:
    """The content of a file as it is, of `LARGEST` bytes at most; raises `Unreadable`."""
    try:
        with open(os.open(path, flags | os.O_CLOEXEC), "rb") as file:
            if flags & os.O_NONBLOCK and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable(path, "is no regular file")
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise Unreadable(path, (error.strerror or "cannot be read").lower()) from error
    if len(content) > LARGEST:
        raise Unreadable(path, f"is larger than {LARGEST} bytes")
    return content


def _text(path: Path, flags: int) -> str:
    try:
        # As a text file is read: other ends of lines become the usual one.
        return content_of(path, flags).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"is not UTF-8 text (byte {error.start})") from error


def flow_files(paths: Iterable[Path]) -> Iterator[Path | Odd]:
    """Every file named, and the YAML files below each folder named, in order; a folder without any is odd.

    Raises `Unreadable` for a path at which nothing is, or that leads where its name does not say.
    """
    for path in paths:
        if _leads_away(path):
            raise Unreadable(path, "leads elsewhere by a link; if that is meant, give its absolute name")
        if os.path.isdir(path):
            yield from [*_below(path)] or [Odd(path, "no .yaml or .yml file in this folder")]
        elif not os.path.exists(path):
            raise Unreadable(path, "no such file or directory")
        elif not os.path.isfile(path):
            raise Unreadable(path, "is no regular file")
        else:
            yield path


def _leads_away(path: Path) -> bool:
    """Is this a relative name, below the folder that it begins at, of something elsewhere?

    Such a name is one of what somebody sends for review; absolute ones are those of the operator.
    """
    steps = path.parts
    ups = next((index for index, step in enumerate(steps) if step != os.pardir), len(steps))
    begin = Path(os.path.realpath(os.path.join(*steps[:ups]) if ups else os.curdir))
    return not path.is_absolute() and not Path(os.path.realpath(path)).is_relative_to(begin)


def _below(folder: Path) -> Iterator[Path | Odd]:
    """In the order of names. Links to folders are not followed, those to files only within the folder."""
    inside, waiting = Path(os.path.realpath(folder)), [str(folder)]
    while waiting:
        found = _listed(waiting.pop())
        for one in found:
            # Also `.yaml` and `a.YAML`: what deploys flows may take them.
            if one.name.lower().endswith((".yaml", ".yml")) and not os.path.isdir(one.path):
                yield _judged(Path(one.path), inside)
        waiting += [one.path for one in reversed(found) if one.is_dir(follow_symlinks=False)]


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda one: one.name)
    except OSError as error:
        name = folder if len(folder) <= _LONGEST_NAME else f"{folder[:_LONGEST_NAME]}..."
        raise Unreadable(Path(name), (error.strerror or "cannot be listed").lower()) from error


def _judged(path: Path, inside: Path) -> Path | Odd:
    # What somebody sends for review must not name files of the machine that checks it: messages show parts of them.
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
        return Odd(path, "is a link that leads out of the folder, and is not followed")
    return path if os.path.isfile(path) else Odd(path, "is no file that can be read")
