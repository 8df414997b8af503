"""Wheels as archives: what may be in one, told apart before anything of it is read.

Nothing is ever unpacked on this machine: a manifest is read out of the wheel, and code is imported from the wheel as it
is, behind the walls. What stands in one cannot leave its folder, because it never comes into one.
"""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import PurePosixPath
from typing import Final

from casemate.plugins.errors import PluginRefused
from casemate.zips import BROKEN

LARGEST: Final = 64 << 20
"""Bytes of a wheel."""
MOST_FILES: Final = 5000
MOST_BYTES: Final = 256 << 20
"""What all files of a wheel may hold together."""
LARGEST_TEXT: Final = 4 << 20
"""Bytes of a file that is read here: a manifest, metadata."""

_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1


class Archive:
    """The files of a wheel by their names."""

    def __init__(self, content: bytes) -> None:
        """Raises `PluginRefused` for what is no wheel, or holds what none has to."""
        if len(content) > LARGEST:
            raise PluginRefused(f"The wheel has more than {LARGEST >> 20} MiB")
        try:
            self._whole = zipfile.ZipFile(io.BytesIO(content))
            entries = self._whole.infolist()
        except BROKEN as error:
            raise PluginRefused(f"The file is no wheel: {error}") from error
        _check_all(entries)
        self._entries = {entry.filename: entry for entry in entries if not entry.is_dir()}

    @property
    def names(self) -> frozenset[str]:
        """The names of all files, folders before them with slashes."""
        return frozenset(self._entries)

    def text(self, name: str) -> str:
        """A file as text. Raises `PluginRefused` when it is too large, or damaged."""
        entry = self._entries[name]
        if entry.file_size > LARGEST_TEXT:
            raise PluginRefused(f"{name} has more than {LARGEST_TEXT >> 20} MiB")
        try:
            with self._whole.open(entry) as file:
                return file.read(LARGEST_TEXT).decode()
        except BROKEN as error:
            raise PluginRefused(f"{name} cannot be read: {error}") from error


def _check_all(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_FILES:
        raise PluginRefused(f"The wheel has {len(entries)} files, at most {MOST_FILES} may be")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise PluginRefused(f"The files of the wheel have more than {MOST_BYTES >> 20} MiB")
    if len({entry.filename for entry in entries}) < len(entries):
        raise PluginRefused("The wheel has two files of one name")
    for entry in entries:
        if fault := _fault(entry):
            raise PluginRefused(f"The wheel has a file that {fault}: {entry.filename[:200]!r}")


def _fault(entry: zipfile.ZipInfo) -> str | None:
    """Why a file must not be there: see tests/plugins/test_archive."""
    name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in entry.orig_filename:
        return "leads out of its folder"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link, or no file at all"
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        return "is encrypted, or packed in an unusual way"
    return None
