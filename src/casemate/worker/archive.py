"""Files of a folder in one archive, and back. The folder may be hostile, and so may be what was archived from it."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final, TypeAlias

from casemate.sandbox import folders
from casemate.worker.errors import TaskFailed, WorkerError
from casemate.worker.names import relative
from casemate.zips import BROKEN

MOST: Final = 10_000
"""How many files one archive may hold."""
ALTOGETHER: Final = 8 << 30
"""How many bytes they may have together."""

Look: TypeAlias = Mapping[str, tuple[int, int]]
"""What a change would show in: size and date of change in nanoseconds, by path."""

_CHUNK: Final = 1 << 20


class ArchiveUnusable(WorkerError):
    """The archive cannot be unpacked."""


def looked_at(folder: Path, patterns: tuple[str, ...]) -> Look:
    """The files that match, as they are now. Raises as `folders.outputs`, and OSError."""
    found = folders.outputs(folder, patterns, most=MOST, altogether=ALTOGETHER)
    return {output.path: _look(folder, output.path) for output in found if _can_be_named(output.path)}


def pack(folder: Path, paths: Look, archive: IO[bytes]) -> None:
    """Write these files of the folder into an archive, which is then at its beginning."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for path in sorted(paths):
            with folders.open_output(folder, path) as source, packed.open(_entry(path, source), "w") as target:
                shutil.copyfileobj(source, target, _CHUNK)
    archive.seek(0)


def unpack(archive: IO[bytes], folder: Path) -> None:
    """Write the files of an archive into the folder.

    Raises `ArchiveUnusable`; some files may be there by then. Sizes are counted, not believed.
    """
    left = ALTOGETHER
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = [entry for entry in packed.infolist() if not entry.is_dir()]
            if len(entries) > MOST:
                raise ArchiveUnusable(f"it has more than {MOST} files")
            for entry in entries:
                left -= _unpacked(packed, entry, folder, left)
    except (*BROKEN, TaskFailed) as error:
        raise ArchiveUnusable(str(error)) from error


def _unpacked(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, most: int) -> int:
    size = 0
    with packed.open(entry) as source, folders.create(folder, relative(entry.filename)) as target:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise ArchiveUnusable(f"its files have more than {ALTOGETHER} bytes together")
            target.write(chunk)
        if entry.external_attr >> 16 & stat.S_IXUSR:
            os.fchmod(target.fileno(), 0o755)
    return size


def _entry(path: str, source: IO[bytes]) -> zipfile.ZipInfo:
    runs = os.fstat(source.fileno()).st_mode & stat.S_IXUSR
    entry = zipfile.ZipInfo(path)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | (0o755 if runs else 0o644)) << 16
    return entry


def _look(folder: Path, path: str) -> tuple[int, int]:
    with folders.open_output(folder, path) as file:
        found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


def _can_be_named(path: str) -> bool:
    try:
        return relative(path) == path
    except TaskFailed:
        return False
