"""The files of a namespace as a ZIP archive, out and in."""

from __future__ import annotations

import asyncio
import tempfile
import weakref
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO

from starlette.datastructures import UploadFile
from starlette.responses import StreamingResponse

from casemate.api.archives import sent
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.names import namespace_of
from casemate.api.operation import Answer, Operation
from casemate.api.operations.namespace_tree import address, attachment, parent, put, slashed, tree
from casemate.api.unpacking import opened, pieces
from casemate.storage import Stored

_FLOWS = "_flows/"
"""Where Kestra's archives have the flows of the namespace."""


async def export_namespace_files(call: Call) -> Answer:
    """Download all files as a ZIP archive."""
    files, _ = await tree(call)
    size = sum(stored.size for stored in files.values())
    call.deps.spool.take(size)
    archive = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when it has been sent
    # Whoever leaves before the first byte is sent ends no generator, but lets go of the file.
    weakref.finalize(archive, call.deps.spool.give_back, size)
    try:
        await asyncio.to_thread(_packed, call, files, archive)
    except BaseException:
        archive.close()
        raise
    headers = {"content-disposition": attachment(f"{namespace_of(call)}_files.zip")}
    return StreamingResponse(sent(archive), media_type="application/octet-stream", headers=headers)


async def unpack(call: Call, upload: UploadFile) -> None:
    """Put every file of an archive below the folder that it was sent to; names and sizes are judged first."""
    folder = parent(slashed(call.text("path") or "/"))
    whole, entries = await asyncio.to_thread(opened, upload.file, call.deps.upload_limit, call.deps.archives)
    with whole:
        targets = {f"{folder.rstrip('/')}/{entry.filename}": entry for entry in entries}
        if any(entry.filename.startswith(_FLOWS) for entry in entries):
            raise illegal_argument(f"the archive has flows ({_FLOWS}), which are imported apart from files")
        if any(above in targets for path in targets for above in _above(path)):
            raise illegal_argument("the archive has a file and a folder of the same name")
        for path in targets:
            await call.deps.storage.check_free(call.tenant, address(call, path))
        for path, entry in targets.items():
            await put(call, path, pieces(whole, entry))


def _above(path: str) -> Iterator[str]:
    while (path := parent(path)) != "/":
        yield path


def _packed(call: Call, files: Mapping[str, Stored], archive: IO[bytes]) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as whole:
        for path, stored in files.items():
            with whole.open(path.lstrip("/"), "w", force_zip64=stored.size >= zipfile.ZIP64_LIMIT) as entry:
                for piece in call.deps.storage.pieces_now(call.tenant, stored.uri):
                    entry.write(piece)
    archive.seek(0)


TABLE = (
    Operation(
        "GET",
        "/api/v1/{tenant}/namespaces/{namespace}/files/export",
        can=("NAMESPACE", "VIEW"),
        audit="file:export",
        produces="application/octet-stream",
        run=export_namespace_files,
    ),
)
