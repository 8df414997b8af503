"""Files in a real folder."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from casemate.storage import BadUri, NotThere, Occupied, Storage, StorageError, TooLarge

pytestmark = pytest.mark.anyio

URI = "kestra:///team/flow/a file.txt"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.local(tmp_path / "storage")


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_is_put_can_be_got(storage: Storage):
    assert await storage.put("main", URI, b"hello") == URI
    assert await storage.get("main", URI) == b"hello"
    assert await storage.size("main", URI) == 5
    assert await storage.exists("main", URI)


async def test_putting_again_replaces(storage: Storage):
    await storage.put("main", URI, b"a longer text")
    await storage.put("main", URI, b"short")
    assert await storage.get("main", URI) == b"short"


async def test_files_are_streamed_both_ways(storage: Storage):
    megabyte = os.urandom(1 << 20)
    await storage.put("main", URI, pieces(*[megabyte] * 7, b"end"))
    assert await storage.size("main", URI) == 7 * len(megabyte) + 3
    read = [chunk async for chunk in storage.stream("main", URI)]
    assert len(read) > 1
    assert b"".join(read) == megabyte * 7 + b"end"


@pytest.mark.parametrize("content", [b"", pieces()])
async def test_an_empty_file_is_a_file(storage: Storage, content):
    await storage.put("main", URI, content)
    assert await storage.get("main", URI) == b""


async def test_a_stream_that_fails_leaves_the_old_file(storage: Storage):
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 20
        raise ConnectionError

    await storage.put("main", URI, b"old")
    with pytest.raises((ConnectionError, StorageError)):
        await storage.put("main", URI, broken())
    assert await storage.get("main", URI) == b"old"
    assert [stored.uri for stored in await storage.list("main", "kestra:///team")] == [URI]


async def test_tenants_do_not_see_each_other(storage: Storage):
    await storage.put("acme", URI, b"theirs")
    assert not await storage.exists("main", URI)
    assert await storage.list("main", "kestra:///team") == ()
    assert await storage.delete_below("main", "kestra:///team") == ()
    with pytest.raises(NotThere):
        await storage.get("main", URI)
    assert await storage.get("acme", URI) == b"theirs"


@pytest.mark.parametrize("tenant", ["..", ".", "", "a/b", "../acme", "Main", "a\x00", "_x"])
async def test_a_tenant_is_a_plain_name(storage: Storage, tenant: str):
    with pytest.raises(StorageError):
        await storage.get(tenant, URI)


async def test_a_way_up_is_refused(storage: Storage, tmp_path: Path):
    (tmp_path / "secret").write_text("x")
    for uri in ("kestra:///../../secret", "kestra:///a/../../../secret"):
        with pytest.raises(BadUri):
            await storage.get("main", uri)
        with pytest.raises(BadUri):
            await storage.put("main", uri, b"x")


async def test_a_missing_file_is_told_without_a_path_of_the_machine(storage: Storage, tmp_path: Path):
    for call in (storage.get, storage.size):
        with pytest.raises(NotThere) as error:
            await call("main", URI)
        assert str(error.value) == f"File '{URI}' doesn't exist"
    with pytest.raises(NotThere):
        async for _ in storage.stream("main", URI):
            pass


async def test_a_limit_is_kept(storage: Storage):
    await storage.put("main", URI, b"12345")
    assert await storage.get("main", URI, limit=5) == b"12345"
    with pytest.raises(TooLarge):
        await storage.get("main", URI, limit=4)


async def test_listing_and_deleting(storage: Storage):
    uris = [f"kestra:///team/flow/{name}" for name in ("a", "b/c", "b/d")]
    for uri in uris:
        await storage.put("main", uri, b"x")
    await storage.put("main", "kestra:///team/flow2/a", b"x")
    assert [stored.uri for stored in await storage.list("main", "kestra:///team/flow")] == uris
    assert await storage.delete("main", uris[0])
    assert not await storage.delete("main", uris[0])
    assert await storage.delete_below("main", "kestra:///team/flow") == tuple(uris[1:])
    assert [stored.uri for stored in await storage.list("main", "kestra:///team")] == ["kestra:///team/flow2/a"]


async def test_a_folder_is_not_a_file(storage: Storage):
    await storage.put("main", "kestra:///team/flow/a", b"x")
    with pytest.raises(StorageError):
        await storage.get("main", "kestra:///team/flow")
    with pytest.raises(StorageError):
        await storage.put("main", "kestra:///team/flow/a/b", b"x")


async def test_a_storage_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        Storage.local(tmp_path / "file" / "storage")


async def test_the_folder_is_private(storage: Storage, tmp_path: Path):
    assert (tmp_path / "storage").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"x", None])
async def test_a_file_is_no_folder_and_a_folder_no_file(storage: Storage, content: bytes | None):
    await storage.put("main", "kestra:///team/f", b"first")
    for uri in ("kestra:///team", "kestra:///team/f/below", "kestra:///team/f/far/below"):
        with pytest.raises(Occupied):
            await storage.put("main", uri, pieces(b"x") if content is None else content)
    assert await storage.get("main", "kestra:///team/f") == b"first"
