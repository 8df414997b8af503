"""Files that a user names on the command line: reading them, and saying what is wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from casemate.errors import CasemateError, Problem

INVALID = 2
"""Exit status for a flow or an input that is not valid, and for a file that cannot be read."""


class Unreadable(CasemateError):
    """A file that was named cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"{path}: {reason}")


def text_of(path: Path) -> str:
    """The text of a file in UTF-8; raises `Unreadable`, whose text names the file and the reason."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise Unreadable(path, (error.strerror or "cannot be read").lower()) from error


def flow_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Every file named, and every YAML file below every folder named, in a stable order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in (".yaml", ".yml") and file.is_file())
        else:
            yield path


def complain(file: str | Path, problems: Iterable[Problem]) -> None:
    """Every problem on a line of its own on standard error, in the form editors jump to."""
    for problem in problems:
        print(problem.located(str(file)), file=sys.stderr)
