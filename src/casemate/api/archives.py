"""Many sources in one file, and back. What comes in may be hostile: sizes are counted, not believed."""

from __future__ import annotations

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import IO

from starlette.responses import StreamingResponse

from casemate.api.errors import illegal_argument
from casemate.api.limits import ArchiveLimits
from casemate.api.unpacking import METHODS, check_end, check_entries
from casemate.zips import BROKEN

LARGEST_ENTRY = 1 << 20
ALTOGETHER = 128 << 20
"""The bytes that one file of an archive of sources, and all together, may unfold to."""

_CHUNK = 1 << 20
_SOURCES = (".yml", ".yaml")


async def archive_of(entries: Iterable[tuple[str, str]], name: str) -> StreamingResponse:
    """A ZIP archive of texts by their paths, to be downloaded under that name."""
    archive = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when it has been sent
    try:
        await asyncio.to_thread(_packed, entries, archive)
    except BaseException:
        archive.close()
        raise
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(sent(archive), media_type="application/octet-stream", headers=headers)


def sources_in(archive: IO[bytes], limits: ArchiveLimits) -> list[tuple[str, str | None]]:
    """The YAML files of a ZIP archive by their paths; None is one that is too large, or cannot be read.

    Nothing is written anywhere: a path is only a name. Raises 422 for what is no archive, or too much altogether.
    """
    check_end(archive)
    try:
        with zipfile.ZipFile(archive) as packed:
            return list(_unpacked(packed, limits))
    except BROKEN as error:
        raise illegal_argument("the file is not a ZIP archive that can be read") from error


def _packed(entries: Iterable[tuple[str, str]], archive: IO[bytes]) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as whole:
        for path, text in entries:
            whole.writestr(path, text)
    archive.seek(0)


async def sent(archive: IO[bytes]) -> AsyncIterator[bytes]:
    """A file in pieces; it is closed when all of it is sent."""
    with archive:
        while piece := await asyncio.to_thread(archive.read, _CHUNK):
            yield piece


def _unpacked(packed: zipfile.ZipFile, limits: ArchiveLimits) -> Iterator[tuple[str, str | None]]:
    entries = [entry for entry in packed.infolist() if entry.filename.lower().endswith(_SOURCES)]
    check_entries(entries, limits)
    taken = 0
    for entry in entries:
        content = _content(packed, entry)
        # A small archive may unfold to terabytes: see test_an_archive_that_unfolds_to_too_much_is_refused.
        taken += LARGEST_ENTRY if content is None else len(content)
        if taken > ALTOGETHER:
            raise illegal_argument(f"the files of the archive have more than {ALTOGETHER} bytes")
        yield entry.filename, content


def _content(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str | None:
    """The text of one file, never read further than allowed; None if there is more, or it cannot be read."""
    if entry.compress_type not in METHODS:
        return None
    try:
        with packed.open(entry) as file:
            content = file.read(LARGEST_ENTRY + 1)
        return None if len(content) > LARGEST_ENTRY else content.decode()
    except BROKEN:
        return None
