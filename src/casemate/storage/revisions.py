"""Revisions of the files of a namespace: what a file was before it was replaced, numbered from 1, the newest kept.

The file itself is the newest revision. Deleting or moving it lets go of what it was.
"""

from __future__ import annotations

from hashlib import sha256

from casemate.identifiers import Namespace, TenantId
from casemate.storage import paths
from casemate.storage.errors import NotThere
from casemate.storage.storage import Storage

KEPT = 25
"""How many revisions a file has at most, itself included."""


async def numbers(storage: Storage, tenant: TenantId, namespace: Namespace, path: str) -> tuple[int, ...]:
    """The revisions of a file, oldest first. Raises `NotThere`, `BadUri`."""
    await storage.size(tenant, paths.namespace_file(namespace, path))
    old = await _old(storage, tenant, namespace, path)
    return (*old, _next(old))


async def address(storage: Storage, tenant: TenantId, namespace: Namespace, path: str, number: int) -> str:
    """Where a revision of a file lies. Raises `NotThere`."""
    every = await numbers(storage, tenant, namespace, path)
    if number not in every:
        raise NotThere(f"File '{path}' has no revision {number}")
    return paths.namespace_file(namespace, path) if number == every[-1] else _address(namespace, path, number)


async def remember(storage: Storage, tenant: TenantId, namespace: Namespace, path: str) -> None:
    """Keep what a file is now, for it is about to be replaced; nothing if there is none."""
    uri = paths.namespace_file(namespace, path)
    if not await storage.exists(tenant, uri):
        return
    old = await _old(storage, tenant, namespace, path)
    await storage.copy(tenant, uri, _address(namespace, path, _next(old)))
    for number in old[: max(0, len(old) + 2 - KEPT)]:
        await storage.delete(tenant, _address(namespace, path, number))


async def next_address(storage: Storage, tenant: TenantId, namespace: Namespace, path: str) -> str:
    """Where what a file is now is kept when it is replaced."""
    return _address(namespace, path, _next(await _old(storage, tenant, namespace, path)))


async def forget(storage: Storage, tenant: TenantId, namespace: Namespace, path: str) -> None:
    """Let go of what a file was."""
    await storage.delete_below(tenant, _folder(namespace, path))


async def _old(storage: Storage, tenant: TenantId, namespace: Namespace, path: str) -> tuple[int, ...]:
    stored = await storage.list(tenant, _folder(namespace, path))
    return tuple(sorted(int(one.uri.rpartition("/")[2]) for one in stored))


def _next(old: tuple[int, ...]) -> int:
    return old[-1] + 1 if old else 1


def _address(namespace: Namespace, path: str, number: int) -> str:
    return f"{_folder(namespace, path)}/{number}"


def _folder(namespace: Namespace, path: str) -> str:
    # Named by a digest: a path that is a file today may be a folder tomorrow, and both would want the same place.
    digest = sha256(path.strip("/").encode()).hexdigest()[:32]
    return paths.uri_of(paths.folder_of(namespace), "_revisions", digest)
