"""Transactions: whole or not at all, durable when acknowledged, sharing commits."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from casemate.store import Database, StateInUse, StoreError, StoreUnavailable, Tx, kv
from casemate.store.kv import Entry

pytestmark = pytest.mark.anyio


class Oops(Exception):
    """A mistake of the caller."""


def put(tx: Tx, key: str, value: object, now) -> None:
    kv.put(tx, "main", "team", Entry(key=key, value=value, updated=now))


def value(tx: Tx, key: str, now) -> object:
    entry = kv.get(tx, "main", "team", key, now)
    return entry and entry.value


async def test_what_was_acknowledged_is_there_after_opening_again(url, now):
    db = Database.open(url)
    await db.transact(put, "a", {"deep": [1, None, "é"]}, now)
    db.close()
    again = Database.open(url)
    assert await again.read(value, "a", now) == {"deep": [1, None, "é"]}
    again.close()


async def test_an_exception_undoes_the_whole_transaction(db, now):
    def half(tx: Tx) -> None:
        put(tx, "a", 1, now)
        raise Oops

    with pytest.raises(Oops):
        await db.transact(half)
    assert await db.read(value, "a", now) is None


async def test_transactions_that_share_a_commit_fail_alone(db, now):
    def odd_ones_fail(tx: Tx, number: int) -> int:
        put(tx, f"k{number}", number, now)
        if number % 2:
            raise Oops
        return number

    outcomes: dict[int, object] = {}

    async def run(number: int) -> None:
        try:
            outcomes[number] = await db.transact(odd_ones_fail, number)
        except Oops as error:
            outcomes[number] = error

    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(run, number)

    for number in range(100):
        assert isinstance(outcomes[number], Oops) == bool(number % 2)
        assert await db.read(value, f"k{number}", now) == (None if number % 2 else number)


async def test_many_small_transactions_share_their_commits(db, now):
    await db.transact(put, "first", 0, now)
    before = time.perf_counter()
    async with anyio.create_task_group() as group:
        for number in range(500):
            group.start_soon(db.transact, put, f"k{number}", number, now)
    assert time.perf_counter() - before < 5


async def test_a_cancelled_caller_does_not_disturb_the_others(db, now):
    with anyio.move_on_after(0):
        await db.transact(put, "a", 1, now)
    await db.transact(put, "b", 2, now)
    assert await db.read(value, "b", now) == 2


async def test_readers_see_what_was_committed_and_may_not_write(db, now):
    await db.transact(put, "a", 1, now)
    assert await db.read(value, "a", now) == 1
    with pytest.raises(StoreError):
        await db.read(put, "a", 2, now)


async def test_a_reader_is_not_blocked_by_a_writer(db, now):
    writing, read = anyio.Event(), anyio.Event()
    await db.transact(put, "a", 1, now)

    def slow(tx: Tx) -> None:
        put(tx, "a", 2, now)
        anyio.from_thread.run_sync(writing.set, token=token)
        anyio.from_thread.run(read.wait, token=token)

    token = anyio.lowlevel.current_token()
    async with anyio.create_task_group() as group:
        group.start_soon(db.transact, slow)
        await writing.wait()
        assert await db.read(value, "a", now) == 1
        read.set()
    assert await db.read(value, "a", now) == 2


async def test_a_full_disk_is_told_and_nothing_is_kept(url, now):
    db = Database.open(url)

    def limit(tx: Tx) -> None:
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()
        tx.execute(text(f"PRAGMA max_page_count = {pages + 20}"))

    await db.transact(limit)
    told = 0

    async def fill(number: int) -> None:
        nonlocal told
        try:
            await db.transact(put, f"k{number}", "x" * 50_000, now)
        except StoreUnavailable:
            told += 1

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(fill, number)
    assert told > 0
    present = [n for n in range(20) if await db.read(value, f"k{n}", now) is not None]
    assert len(present) == 20 - told
    db.close()


async def test_a_foreign_lock_is_told(tmp_path: Path, url, now):
    db = Database.open(url)
    await db.transact(lambda tx: tx.execute(text("PRAGMA busy_timeout = 50")).close())
    intruder = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await db.transact(put, "a", 1, now)
    intruder.execute("ROLLBACK")
    intruder.close()
    await db.transact(put, "a", 1, now)
    db.close()


async def test_a_closed_database_says_so(url, now):
    db = Database.open(url)
    db.close()
    with pytest.raises(StoreUnavailable):
        await db.transact(put, "a", 1, now)
    with pytest.raises(StoreUnavailable):
        await db.read(value, "a", now)


def test_a_second_process_is_refused(url, db):
    code = (
        "from casemate.store import Database, StateInUse\n"
        f"try: Database.open({url!r})\n"
        "except StateInUse: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "refused\n"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        Database.open(f"sqlite:///{tmp_path}/file/state.db")


def test_a_file_that_is_no_database_is_told_and_let_go(tmp_path: Path):
    (tmp_path / "state.db").write_bytes(b"hello" * 1000)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            Database.open(f"sqlite:///{tmp_path}/state.db")


@pytest.mark.parametrize("url", ["postgresql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str):
    with pytest.raises(StoreError):
        Database.open(url)


def test_the_lock_is_an_error_of_its_own():
    assert issubclass(StateInUse, StoreError)


def broken_off(tx: Tx) -> None:
    for row in tx.execute(text("SELECT 1 UNION ALL SELECT count(*) FROM kv")):
        raise Oops(row)


@pytest.mark.parametrize("way", ["read", "transact"])
async def test_an_error_in_the_middle_of_reading_leaves_nothing_behind(db, now, way):
    kept = []
    for number in range(4):
        with pytest.raises(Oops) as error:
            await getattr(db, way)(broken_off)
        kept.append(error)  # with all the frames and cursors that it refers to
        await db.transact(put, f"k{number}", number, now)
        assert [await db.read(value, f"k{number}", now) for _ in range(4)] == [number] * 4


async def test_what_is_deleted_is_written_over(db: Database):
    assert await db.read(lambda tx: tx.exec_driver_sql("PRAGMA secure_delete").scalar()) == 1
    assert await db.transact(lambda tx: tx.exec_driver_sql("PRAGMA secure_delete").scalar()) == 1
