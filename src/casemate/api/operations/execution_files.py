"""Operations on the files of an execution: those that were submitted and those that its tasks kept."""

from __future__ import annotations

from asyncio import to_thread
from contextlib import aclosing
from functools import partial
from urllib.parse import quote

from starlette.responses import StreamingResponse

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.operation import Answer, Operation, Permission
from casemate.api.operations.executions import named
from casemate.api.previews import LARGEST, preview
from casemate.storage import paths


async def download_file_from_execution(call: Call) -> Answer:
    """Download a file."""
    uri = await _file(call)
    size = await call.deps.storage.size(call.tenant, uri)
    name = quote(uri.rpartition("/")[2], safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}", "content-length": str(size)}
    content = call.deps.storage.stream(call.tenant, uri)
    return StreamingResponse(content, media_type="application/octet-stream", headers=headers)


async def file_metadatas_from_execution(call: Call) -> Answer:
    """Read the size of a file."""
    return {"size": await call.deps.storage.size(call.tenant, await _file(call))}


async def preview_file_from_execution(call: Call) -> Answer:
    """Look at the beginning of a file."""
    uri, rows = await _file(call), call.number("maxRows")
    if rows is not None and not 0 < rows <= _MOST_ROWS:
        raise illegal_argument(f"maxRows must be from 1 to {_MOST_ROWS}")
    size = await call.deps.storage.size(call.tenant, uri)
    content = await _beginning(call, uri)
    encoding = call.text("encoding") or "UTF-8"
    shown = partial(preview, uri, content, most=rows or _ROWS, encoding=encoding, whole=size <= len(content))
    return await to_thread(shown)


async def _beginning(call: Call, uri: str) -> bytes:
    content = bytearray()
    async with aclosing(call.deps.storage.stream(call.tenant, uri)) as pieces:
        async for piece in pieces:
            content += piece
            if len(content) >= LARGEST:
                break
    return bytes(content[:LARGEST])


async def _file(call: Call) -> str:
    """The address in the query; it must lie in the folder of the execution."""
    uri, found = call.text("path"), await named(call)
    if uri is None:
        raise illegal_argument("path is required: the kestra:/// address of a file of this execution")
    paths.key_of(uri)
    # Whoever may see one execution must not read the files of others through it.
    if not uri.startswith(paths.execution_folder(found.namespace, found.flow_id, found.id) + "/"):
        raise illegal_argument(f"{uri[:200]} is no file of execution {found.id}")
    return uri


_FILE = "/api/v1/{tenant}/executions/{execution_id}/file"
_READ: Permission = ("EXECUTION", "ACCESS_FILES")
_ROWS = 100
_MOST_ROWS = 10_000

TABLE = (
    Operation(
        "GET",
        _FILE,
        can=_READ,
        audit="execution:files",
        asks={"path": str},
        produces="application/octet-stream",
        run=download_file_from_execution,
    ),
    Operation(
        "GET",
        _FILE + "/metas",
        can=_READ,
        audit="execution:files",
        asks={"path": str},
        returns=shapes.FileSize,
        run=file_metadatas_from_execution,
    ),
    Operation(
        "GET",
        _FILE + "/preview",
        can=_READ,
        audit="execution:files",
        asks={"path": str, "maxRows": int, "encoding": str},
        returns=shapes.FilePreview,
        run=preview_file_from_execution,
    ),
)
