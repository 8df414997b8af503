"""ZIP archives that are unpacked: read strictly, and never beyond what they may hold.

What is refused: links and other things that are no files, encryption, methods other than DEFLATE, comments, ZIP64,
names that lead elsewhere, more files or bytes than allowed. Everything is judged before anything is unpacked.
"""

from __future__ import annotations

import asyncio
import os
import stat
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import IO

from casemate.api.errors import Declined, illegal_argument
from casemate.api.limits import ArchiveLimits
from casemate.zips import BROKEN

_CHUNK = 1 << 20
_END = b"PK\x05\x06"
_ZIP64 = b"PK\x06\x07"
_END_SIZE = 22
_LOCATOR_SIZE = 20
_DIRECTORY = 4 << 20
"""Bytes of the list of files, which is read into memory as a whole."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def opened(archive: IO[bytes], most: int, limits: ArchiveLimits) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """The archive and the files in it, which have no more than `most` bytes in all. Raises `Declined`."""
    check_end(archive)
    try:
        whole = zipfile.ZipFile(archive)
    except BROKEN as error:
        raise _unreadable() from error
    files = [one for one in whole.infolist() if not one.is_dir()]
    check_entries(files, limits)
    for one in files:
        _check(one)
    # No more is ever read of a file than the archive says: test_no_more_is_read_of_a_file_than_the_archive_says_it_has.
    if sum(one.file_size for one in files) > most:
        raise illegal_argument(f"the files of the archive have more than {most} bytes")
    return whole, files


async def pieces(whole: zipfile.ZipFile, entry: zipfile.ZipInfo) -> AsyncIterator[bytes]:
    """The content of one file. Raises `Declined` if it is not what the archive says."""
    reading = _read(whole, entry)
    while piece := await asyncio.to_thread(next, reading, b""):
        yield piece


def _read(whole: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with whole.open(entry) as file:
            while piece := file.read(_CHUNK):
                yield piece
    except BROKEN as error:
        raise _unreadable() from error


def check_entries(files: Sequence[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    """Raises `Declined` for too many files, or one that is too large (spec/isolation 10.5)."""
    if len(files) > limits.entries:
        raise illegal_argument(f"the archive has {len(files)} files, at most {limits.entries} may be")
    for one in files:
        if limits.entry_size is not None and one.file_size > limits.entry_size:
            name = f"{one.filename[:200]!r} in the archive"
            raise illegal_argument(f"{name} has more than the {limits.entry_size} bytes that one file may have")


def check_end(archive: IO[bytes]) -> None:
    """Raises `Declined` unless the last record is at the very end, and its list of files fits into memory."""
    size = archive.seek(0, os.SEEK_END)
    archive.seek(max(0, size - _END_SIZE - _LOCATOR_SIZE))
    last = archive.read()
    archive.seek(0)
    end = last[-_END_SIZE:]
    if len(end) < _END_SIZE or not end.startswith(_END) or not end.endswith(b"\0\0") or last.startswith(_ZIP64):
        raise _unreadable()
    if int.from_bytes(end[12:16], "little") > _DIRECTORY:
        raise illegal_argument(f"the list of files in the archive has more than {_DIRECTORY} bytes")


def _check(entry: zipfile.ZipInfo) -> None:
    name = f"{entry.filename[:200]!r} in the archive"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise illegal_argument(f"{name} is a link or something else that is no file")
    if entry.flag_bits & 0x1 or entry.compress_type not in METHODS:
        raise illegal_argument(f"{name} is encrypted, or packed in a way that is not known here")
    if entry.filename.startswith("/") or "\\" in entry.orig_filename or "\0" in entry.orig_filename:
        raise illegal_argument(f"{name} is no name of a file below a folder")


def _unreadable() -> Declined:
    return illegal_argument("the file is not a ZIP archive that can be read: plain, without a comment and not ZIP64")
