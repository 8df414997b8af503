"""Files that a user names on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from casemate.errors import CasemateError


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
    """Every file named, and the YAML files below each folder named, in order; a folder without any stays itself."""
    for path in paths:
        yield from _below(path) or [path] if path.is_dir() else [path]


def _below(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in (".yaml", ".yml") and file.is_file())
