"""Files by address, each tenant in a folder of its own. A file is there whole or not at all, and durable once put."""

from __future__ import annotations

import os
import re
from asyncio import to_thread
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import LocalStore

from casemate.identifiers import TenantId
from casemate.storage.errors import NotThere, Occupied, StorageError, TooLarge
from casemate.storage.paths import SCHEME, key_of

_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]*")

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """One file: address, size in bytes, when it was put."""

    uri: str
    size: int
    modified: datetime


class Storage:
    """The internal storage in a local folder. Every call names the tenant; every address is checked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stores: dict[TenantId, LocalStore] = {}

    @classmethod
    def local(cls, folder: Path) -> Storage:
        """A storage below this folder, which is made if need be. Raises `StorageError`."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(f"The storage folder cannot be made: {error}") from error
        return cls(folder)

    async def put(self, tenant: TenantId, uri: str, content: bytes | AsyncIterable[bytes]) -> str:
        """Keep a file, replacing one of the same address; returns the address. A failed stream leaves nothing.

        Raises `Occupied` where the address leads through a file, or is that of a folder.
        """
        store, key = self._place(tenant, uri)
        await self.check_free(tenant, uri)
        with _told(uri):
            if isinstance(content, bytes):
                await to_thread(store.put, key, content, use_multipart=False)
            else:
                await store.put_async(key, content, use_multipart=True, chunk_size=_CHUNK)
            await to_thread(_make_durable, self._folder / tenant / key)
        return uri

    async def check_free(self, tenant: TenantId, uri: str) -> None:
        """Raises `Occupied` where no file can be put, and `put` would do so too."""
        _, key = self._place(tenant, uri)
        await to_thread(_free, self._folder / tenant, key, uri)

    async def get(self, tenant: TenantId, uri: str, limit: int | None = None) -> bytes:
        """The whole file. Raises `NotThere`, and `TooLarge` above the limit."""
        return await to_thread(self.get_now, tenant, uri, limit)

    def get_now(self, tenant: TenantId, uri: str, limit: int | None = None) -> bytes:
        """The same, for callers that live in a thread."""
        store, key = self._place(tenant, uri)
        with _told(uri):
            found = store.get(key)
            if limit is not None and found.meta["size"] > limit:
                raise TooLarge(f"File '{uri}' has {found.meta['size']} bytes, more than the {limit} that are allowed")
            return bytes(found.bytes())

    async def piece(self, tenant: TenantId, uri: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`, fewer at the end of the file. Raises `NotThere`."""
        store, key = self._place(tenant, uri)
        with _told(uri):
            size = (await store.head_async(key))["size"]
            if start >= size:
                return b""
            return bytes(await store.get_range_async(key, start=start, end=min(end, size)))

    async def stream(self, tenant: TenantId, uri: str) -> AsyncGenerator[bytes]:
        """The file in pieces of about a megabyte. Raises `NotThere`."""
        store, key = self._place(tenant, uri)
        with _told(uri):
            found = await store.get_async(key)
            async for chunk in found.stream(min_chunk_size=_CHUNK):
                yield bytes(chunk)

    def pieces_now(self, tenant: TenantId, uri: str) -> Iterator[bytes]:
        """The same, for callers that live in a thread."""
        store, key = self._place(tenant, uri)
        with _told(uri):
            for chunk in store.get(key).stream(min_chunk_size=_CHUNK):
                yield bytes(chunk)

    async def size(self, tenant: TenantId, uri: str) -> int:
        """Its size in bytes. Raises `NotThere`."""
        return await to_thread(self.size_now, tenant, uri)

    def size_now(self, tenant: TenantId, uri: str) -> int:
        """The same, for callers that live in a thread."""
        store, key = self._place(tenant, uri)
        with _told(uri):
            return store.head(key)["size"]

    async def modified(self, tenant: TenantId, uri: str) -> datetime:
        """When it was put. Raises `NotThere`."""
        store, key = self._place(tenant, uri)
        with _told(uri):
            return (await store.head_async(key))["last_modified"]

    async def exists(self, tenant: TenantId, uri: str) -> bool:
        """Is there such a file?"""
        try:
            await self.size(tenant, uri)
        except NotThere:
            return False
        return True

    async def list(self, tenant: TenantId, folder: str) -> tuple[Stored, ...]:
        """Every file below a folder, however deep, by address."""
        return await to_thread(self.list_now, tenant, folder)

    def list_now(self, tenant: TenantId, folder: str) -> tuple[Stored, ...]:
        """The same, for callers that live in a thread."""
        store, key = self._place(tenant, folder)
        with _told(folder):
            found = [meta for batch in store.list(key) for meta in batch]
        stored = (Stored(SCHEME + meta["path"], meta["size"], meta["last_modified"]) for meta in found)
        return tuple(sorted(stored, key=lambda each: each.uri))

    async def delete(self, tenant: TenantId, uri: str) -> bool:
        """Remove a file; was it there?"""
        if not await self.exists(tenant, uri):
            return False
        store, key = self._place(tenant, uri)
        with _told(uri):
            await store.delete_async(key)
        return True

    async def copy(self, tenant: TenantId, source: str, target: str) -> None:
        """Keep a file of the same tenant under a second address too. Raises `NotThere`."""
        store, key = self._place(tenant, source)
        _, to = self._place(tenant, target)
        with _told(source):
            await store.copy_async(key, to)
            await to_thread(_make_durable, self._folder / tenant / to)

    async def delete_below(self, tenant: TenantId, folder: str) -> tuple[str, ...]:
        """Remove every file below a folder; which ones."""
        store, _ = self._place(tenant, folder)
        uris = tuple(each.uri for each in await self.list(tenant, folder))
        if uris:
            with _told(folder):
                await store.delete_async([key_of(uri) for uri in uris])
        return uris

    def _place(self, tenant: TenantId, uri: str) -> tuple[LocalStore, str]:
        # A tenant's name becomes a folder: one like `../other` would reach into another tenant's files.
        if not _TENANT.fullmatch(tenant):
            raise StorageError(f"Invalid tenant '{tenant}'")
        key = key_of(uri)
        if tenant not in self._stores:
            self._stores[tenant] = LocalStore(self._folder / tenant, mkdir=True, automatic_cleanup=True)
        return self._stores[tenant], key


def _make_durable(path: Path) -> None:
    """The store renames a finished file into place; only after this do content and name survive a power cut."""
    for place in (path, path.parent):
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _free(root: Path, key: str, uri: str) -> None:
    """Raises `Occupied` unless a file can be at this key: the store's own failure looks like that of a full disk."""
    place = root / key
    above = [one for one in place.parents if one.is_relative_to(root)]
    if place.is_dir() or any(one.is_file() for one in above):
        raise Occupied(f"File '{uri}' can't be kept: something else is where it or one of its folders would be")


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Failures in our words: those of the store carry paths of this machine."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotThere(f"File '{uri}' doesn't exist") from error
    except (BaseError, OSError) as error:
        raise StorageError(f"File '{uri}' cannot be read or written: {type(error).__name__}") from error
