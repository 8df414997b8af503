"""What operations on the files of a namespace have in common: the tree, its addresses, and how a file is put."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import NoReturn
from urllib.parse import quote

from casemate.api.call import Call
from casemate.api.errors import illegal_argument, not_found
from casemate.api.names import namespace_of
from casemate.storage import Stored, namespaces, paths, revisions


async def tree(call: Call) -> tuple[dict[str, Stored], set[str]]:
    """Files and folders by their paths, with a slash in front."""
    place = (call.deps.storage, call.tenant, namespace_of(call))
    return await asyncio.to_thread(namespaces.files_of, *place), await asyncio.to_thread(namespaces.folders_of, *place)


async def put(call: Call, path: str, content: bytes | AsyncIterable[bytes]) -> None:
    """Put a file; one that it replaces becomes a revision of it."""
    await call.deps.storage.check_free(call.tenant, address(call, path))
    await revisions.remember(call.deps.storage, call.tenant, namespace_of(call), path)
    await call.deps.storage.put(call.tenant, address(call, path), content)


async def copy(call: Call, source: str, target: str) -> None:
    """Keep the file of an address under another too; one that it replaces becomes a revision."""
    await call.deps.storage.check_free(call.tenant, target)
    await revisions.remember(call.deps.storage, call.tenant, namespace_of(call), _path(call, target))
    await call.deps.storage.copy(call.tenant, source, target)


async def remove(call: Call, uri: str) -> None:
    """Remove the file of an address, with what it was."""
    await call.deps.storage.delete(call.tenant, uri)
    await revisions.forget(call.deps.storage, call.tenant, namespace_of(call), _path(call, uri))


def _path(call: Call, uri: str) -> str:
    return uri.removeprefix(paths.namespace_folder(namespace_of(call)))


def wanted_path(call: Call) -> str:
    """The path that the query names; raises 422."""
    path = call.text("path")
    if path is None or not path.strip("/"):
        raise illegal_argument("path is required: where the file lies in the namespace")
    return path


def address(call: Call, path: str) -> str:
    """Where a file of the namespace lies. Raises `BadUri`."""
    return paths.namespace_file(namespace_of(call), path)


def slashed(path: str) -> str:
    """A path with one slash in front and none behind."""
    return "/" + path.strip("/")


def parent(path: str) -> str:
    """The folder that a path is in."""
    return path.rpartition("/")[0] or "/"


def missing(path: str) -> NoReturn:
    """404."""
    raise not_found(f"there is no file or folder {path[:300]}")


def attachment(name: str) -> str:
    """The header that makes a download have this name."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
