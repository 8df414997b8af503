"""Operations on the files of a namespace."""

from __future__ import annotations

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from typing import IO, NoReturn
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.responses import StreamingResponse

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument, not_found
from casemate.api.names import namespace_of
from casemate.api.operation import FORM, Answer, Operation, Permission
from casemate.storage import Stored, namespaces, paths

_CHUNK = 1 << 20
_MOST_FOUND = 1_000


async def create_namespace_file(call: Call) -> Answer:
    """Put a file, replacing one of the same path."""
    uri = _address(call, _path(call))
    content = (await call.form()).get("fileContent")
    if isinstance(content, UploadFile):
        await call.deps.storage.put(call.tenant, uri, _pieces(content))
    else:
        await call.deps.storage.put(call.tenant, uri, str(content or "").encode())
    return None


async def _pieces(upload: UploadFile) -> AsyncIterator[bytes]:
    while piece := await upload.read(_CHUNK):
        yield piece


async def file_content(call: Call) -> Answer:
    """Download a file."""
    path = _path(call)
    uri = _address(call, path)
    size = await call.deps.storage.size(call.tenant, uri)
    headers = {"content-disposition": _attachment(path.rpartition("/")[2]), "content-length": str(size)}
    content = call.deps.storage.stream(call.tenant, uri)
    return StreamingResponse(content, media_type="application/octet-stream", headers=headers)


async def file_metadatas(call: Call) -> Answer:
    """Read the size and dates of a file or folder."""
    path = _slashed(call.text("path") or "/")
    files, folders = await _tree(call)
    if path in files:
        return _attributes(path, files[path])
    if path not in folders:
        _missing(path)
    return _folder(path)


async def list_namespace_directory_files(call: Call) -> Answer:
    """List what lies directly in a folder."""
    path = _slashed(call.text("path") or "/")
    files, folders = await _tree(call)
    if path not in folders:
        _missing(path)
    inside = [_folder(each) for each in sorted(folders) if each != "/" and _parent(each) == path]
    return [*inside, *(_attributes(each, files[each]) for each in sorted(files) if _parent(each) == path)]


async def create_namespace_directory(call: Call) -> Answer:
    """Make a folder."""
    await call.deps.storage.put(call.tenant, namespaces.mark_of(namespace_of(call), _path(call)), b"")
    return None


async def file_revisions(call: Call) -> Answer:
    """List the revisions of a file: the newest is the only one that is kept."""
    await call.deps.storage.size(call.tenant, _address(call, _path(call)))
    return [{"revision": 1}]


async def move_file_directory(call: Call) -> Answer:
    """Move a file, or a folder with everything in it."""
    source, target = (_slashed(call.text(name) or "") for name in ("from", "to"))
    if "/" in (source, target) or target.startswith(f"{source}/"):
        raise illegal_argument("from and to are required, and a folder cannot be moved into itself")
    moved = {uri: _address(call, target) + uri[len(_address(call, source)) :] for uri in await _below(call, source)}
    for old, new in moved.items():
        await call.deps.storage.copy(call.tenant, old, new)
    for old in moved:
        if old not in moved.values():
            await call.deps.storage.delete(call.tenant, old)
    return None


async def delete_file_directory(call: Call) -> Answer:
    """Delete a file, or a folder with everything in it."""
    for uri in await _below(call, _slashed(_path(call))):
        await call.deps.storage.delete(call.tenant, uri)
    return None


async def search_namespace_files(call: Call) -> Answer:
    """Search files by a part of their path."""
    files, _ = await _tree(call)
    wanted = (call.text("q") or "").lower()
    found: list[object] = [path for path in sorted(files) if wanted in path.lower()]
    return found[:_MOST_FOUND]


async def export_namespace_files(call: Call) -> Answer:
    """Download all files as a ZIP archive."""
    files, _ = await _tree(call)
    archive = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when it has been sent
    try:
        await asyncio.to_thread(_archived, call, files, archive)
    except BaseException:
        archive.close()
        raise
    headers = {"content-disposition": _attachment(f"{namespace_of(call)}_files.zip")}
    return StreamingResponse(_sent(archive), media_type="application/octet-stream", headers=headers)


def _archived(call: Call, files: Mapping[str, Stored], archive: IO[bytes]) -> None:
    with zipfile.ZipFile(archive, "w") as whole:
        for path, stored in files.items():
            with whole.open(path.lstrip("/"), "w", force_zip64=True) as entry:
                for piece in call.deps.storage.pieces_now(call.tenant, stored.uri):
                    entry.write(piece)
    archive.seek(0)


async def _sent(archive: IO[bytes]) -> AsyncIterator[bytes]:
    with archive:
        while piece := await asyncio.to_thread(archive.read, _CHUNK):
            yield piece


async def _tree(call: Call) -> tuple[dict[str, Stored], set[str]]:
    place = (call.deps.storage, call.tenant, namespace_of(call))
    return await asyncio.to_thread(namespaces.files_of, *place), await asyncio.to_thread(namespaces.folders_of, *place)


async def _below(call: Call, path: str) -> list[str]:
    """The addresses of a file, or of everything in a folder, what keeps it included. 404: there is neither."""
    uri = _address(call, path)
    if await call.deps.storage.exists(call.tenant, uri):
        return [uri]
    found = [stored.uri for stored in await call.deps.storage.list(call.tenant, uri)]
    return found or _missing(path)


def _path(call: Call) -> str:
    path = call.text("path")
    if path is None or not path.strip("/"):
        raise illegal_argument("path is required: where the file lies in the namespace")
    return path


def _address(call: Call, path: str) -> str:
    return paths.namespace_file(namespace_of(call), path)


def _slashed(path: str) -> str:
    return "/" + path.strip("/")


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _missing(path: str) -> NoReturn:
    raise not_found(f"there is no file or folder {path[:300]}")


def _attributes(path: str, stored: Stored) -> dict[str, object]:
    moment = int(stored.modified.timestamp() * 1000)
    return {
        "type": "File",
        "fileName": path.rpartition("/")[2],
        "size": stored.size,
        "lastModifiedTime": moment,
        "creationTime": moment,
    }


def _folder(path: str) -> dict[str, object]:
    name = path.rpartition("/")[2]
    return {"type": "Directory", "fileName": name, "size": 0, "lastModifiedTime": 0, "creationTime": 0}


def _attachment(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


_FILES = "/api/v1/{tenant}/namespaces/{namespace}/files"
_AT = {"path": str}
_READ: Permission = ("NAMESPACE", "VIEW")
_WRITE: Permission = ("NAMESPACE", "MANAGE_FILES")
_DELETE: Permission = _WRITE
_TO_STORE = "application/octet-stream"

TABLE = (
    Operation(
        "GET",
        _FILES,
        can=_READ,
        audit="file:view",
        asks={"path": str, "revision": int},
        produces=_TO_STORE,
        run=file_content,
    ),
    Operation(
        "POST", _FILES, can=_WRITE, audit="file:create", body=FORM, asks=_AT, status=204, run=create_namespace_file
    ),
    Operation(
        "PUT", _FILES, can=_WRITE, audit="file:move", asks={"from": str, "to": str}, status=204, run=move_file_directory
    ),
    Operation("DELETE", _FILES, can=_DELETE, audit="file:delete", asks=_AT, status=204, run=delete_file_directory),
    Operation(
        "GET",
        _FILES + "/directory",
        can=_READ,
        audit="file:list",
        asks=_AT,
        returns=list[shapes.FileAttributes],
        run=list_namespace_directory_files,
    ),
    Operation(
        "POST",
        _FILES + "/directory",
        can=_WRITE,
        audit="file:create",
        asks=_AT,
        status=204,
        run=create_namespace_directory,
    ),
    Operation(
        "GET",
        _FILES + "/stats",
        can=_READ,
        audit="file:view",
        asks=_AT,
        returns=shapes.FileAttributes,
        run=file_metadatas,
    ),
    Operation(
        "GET",
        _FILES + "/revisions",
        can=_READ,
        audit="file:view",
        asks=_AT,
        returns=list[shapes.FileRevision],
        run=file_revisions,
    ),
    Operation(
        "GET",
        _FILES + "/search",
        can=_READ,
        audit="file:list",
        asks={"q": str},
        returns=list[str],
        run=search_namespace_files,
    ),
    Operation(
        "GET", _FILES + "/export", can=_READ, audit="file:export", produces=_TO_STORE, run=export_namespace_files
    ),
)
