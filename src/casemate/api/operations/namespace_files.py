"""Operations on the files of a namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.datastructures import UploadFile
from starlette.responses import StreamingResponse

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.names import namespace_of
from casemate.api.operation import FORM, Answer, Operation, Permission
from casemate.api.operations.namespace_archives import unpack
from casemate.api.operations.namespace_tree import (
    address,
    attachment,
    copy,
    missing,
    parent,
    put,
    remove,
    slashed,
    tree,
    wanted_path,
)
from casemate.storage import Stored, namespaces, revisions

_CHUNK = 1 << 20
_MOST_FOUND = 1_000


async def create_namespace_file(call: Call) -> Answer:
    """Put a file, replacing one of the same path; of a ZIP archive, by the name of what is sent, every file in it."""
    content = (await call.form()).get("fileContent")
    if isinstance(content, UploadFile) and (content.filename or "").lower().endswith(".zip"):
        await unpack(call, content)
        return None
    path = wanted_path(call)
    await put(call, path, _pieces(content) if isinstance(content, UploadFile) else str(content or "").encode())
    return None


async def _pieces(upload: UploadFile) -> AsyncIterator[bytes]:
    while piece := await upload.read(_CHUNK):
        yield piece


async def file_content(call: Call) -> Answer:
    """Download a file."""
    path = wanted_path(call)
    uri, number = address(call, path), call.number("revision")
    if number is not None:
        uri = await revisions.address(call.deps.storage, call.tenant, namespace_of(call), path, number)
    size = await call.deps.storage.size(call.tenant, uri)
    headers = {"content-disposition": attachment(path.rpartition("/")[2]), "content-length": str(size)}
    content = call.deps.storage.stream(call.tenant, uri)
    return StreamingResponse(content, media_type="application/octet-stream", headers=headers)


async def file_metadatas(call: Call) -> Answer:
    """Read the size and dates of a file or folder."""
    path = slashed(call.text("path") or "/")
    files, folders = await tree(call)
    if path in files:
        return _attributes(path, files[path])
    if path not in folders:
        missing(path)
    return _folder(path)


async def list_namespace_directory_files(call: Call) -> Answer:
    """List what lies directly in a folder."""
    path = slashed(call.text("path") or "/")
    files, folders = await tree(call)
    if path not in folders:
        missing(path)
    inside = [_folder(each) for each in sorted(folders) if each != "/" and parent(each) == path]
    return [*inside, *(_attributes(each, files[each]) for each in sorted(files) if parent(each) == path)]


async def create_namespace_directory(call: Call) -> Answer:
    """Make a folder."""
    await call.deps.storage.put(call.tenant, namespaces.mark_of(namespace_of(call), wanted_path(call)), b"")
    return None


async def file_revisions(call: Call) -> Answer:
    """List the revisions of a file, oldest first."""
    place = (call.deps.storage, call.tenant, namespace_of(call))
    return [{"revision": number} for number in await revisions.numbers(*place, wanted_path(call))]


async def move_file_directory(call: Call) -> Answer:
    """Move a file, or a folder with everything in it."""
    source, target = (slashed(call.text(name) or "") for name in ("from", "to"))
    if "/" in (source, target) or target.startswith(f"{source}/"):
        raise illegal_argument("from and to are required, and a folder cannot be moved into itself")
    moved = {uri: address(call, target) + uri[len(address(call, source)) :] for uri in await _below(call, source)}
    for old, new in moved.items():
        if old != new:
            await copy(call, old, new)
    for old in moved:
        if old not in moved.values():
            await remove(call, old)
    return None


async def delete_file_directory(call: Call) -> Answer:
    """Delete a file, or a folder with everything in it."""
    for uri in await _below(call, slashed(wanted_path(call))):
        await remove(call, uri)
    return None


async def search_namespace_files(call: Call) -> Answer:
    """Search files by a part of their path."""
    files, _ = await tree(call)
    wanted = (call.text("q") or "").lower()
    found: list[object] = [path for path in sorted(files) if wanted in path.lower()]
    return found[:_MOST_FOUND]


async def _below(call: Call, path: str) -> list[str]:
    """The addresses of a file, or of everything in a folder, what keeps it included. 404: there is neither."""
    uri = address(call, path)
    if await call.deps.storage.exists(call.tenant, uri):
        return [uri]
    found = [stored.uri for stored in await call.deps.storage.list(call.tenant, uri)]
    return found or missing(path)


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
)
