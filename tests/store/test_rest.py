"""Log entries, measurements, timers, messages, keys and values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from casemate.errors import Refused
from casemate.store import Database, Filter, LogEntry, MetricEntry, Page, Timer, kv, logs, metrics, outbox, timers
from casemate.store.kv import Entry
from casemate.store.logs import Wanted

pytestmark = pytest.mark.anyio


@pytest.fixture
def entry(now) -> LogEntry:
    return LogEntry(
        tenant="main",
        namespace="team",
        flow_id="hello",
        at=now,
        level="INFO",
        message="hello",
        execution_id="e1",
        task_id="t",
        task_run_id="r",
        attempt=1,
    )


async def test_log_entries_come_back_in_order(db: Database, entry):
    written = [replace(entry, message=f"m{n}") for n in range(5)]
    await db.transact(logs.append, written)
    read = await db.read(logs.of_execution, "main", "e1")
    assert [replace(each, seq=0) for each in read] == written
    assert [each.seq for each in read] == sorted(each.seq for each in read)
    assert await db.read(logs.of_execution, "acme", "e1") == ()


@pytest.mark.parametrize(
    ("wanted", "messages"),
    [
        (Wanted(level="WARN"), ["warn", "error"]),
        (Wanted(task_run_id="r2"), ["error"]),
        (Wanted(task_id="t", attempt=1), ["debug", "warn"]),
        (Wanted(limit=1), ["debug"]),
    ],
)
async def test_log_entries_that_are_wanted(db: Database, entry, wanted, messages):
    warn = replace(entry, level="WARN", message="warn")
    error = replace(entry, level="ERROR", message="error", task_run_id="r2", attempt=2)
    await db.transact(logs.append, [replace(entry, level="DEBUG", message="debug"), warn, error])
    assert [each.message for each in await db.read(logs.of_execution, "main", "e1", wanted)] == messages


async def test_log_entries_after_one(db: Database, entry):
    await db.transact(logs.append, [entry, entry])
    first, second = await db.read(logs.of_execution, "main", "e1")
    assert await db.read(logs.of_execution, "main", "e1", Wanted(after=first.seq)) == (second,)


async def test_log_search(db: Database, entry, now):
    later = replace(entry, at=now + timedelta(seconds=1), level="ERROR", message="a disaster", execution_id="e2")
    await db.transact(logs.append, [entry, later])
    rows, total = await db.read(logs.search, "main", (Filter("level", "EQUALS", "WARN"),), Page())
    assert ([row.message for row in rows], total) == (["a disaster"], 1)
    rows, _ = await db.read(logs.search, "main", (Filter("q", "EQUALS", "DISASTER"),))
    assert len(rows) == 1
    rows, _ = await db.read(logs.search, "main")
    assert [row.execution_id for row in rows] == ["e2", "e1"]
    with pytest.raises(Refused):
        await db.read(logs.search, "main", (Filter("level", "EQUALS", "LOUD"),))


async def test_a_message_may_hold_anything(db: Database, entry):
    await db.transact(logs.append, [replace(entry, message="\ud800 \x00 é 🎉")])
    (read,) = await db.read(logs.of_execution, "main", "e1")
    assert read.message == "? \x00 é 🎉"


async def test_deleting_log_entries(db: Database, entry):
    await db.transact(logs.append, [entry, replace(entry, level="ERROR"), replace(entry, execution_id="e2")])
    assert await db.transact(logs.delete, "acme", "e1") == 0
    assert await db.transact(logs.delete, "main", "e1", Wanted(level="ERROR")) == 1
    assert await db.transact(logs.delete, "main", "e1") == 1
    assert len(await db.read(logs.of_execution, "main", "e2")) == 1


async def test_measurements(db: Database, now):
    place = {"tenant": "main", "namespace": "team", "flow_id": "hello", "execution_id": "e1"}
    one = MetricEntry(
        **place, task_id="t", task_run_id="r", attempt=1, at=now, name="rows", kind="counter", value=3, tags={"a": "b"}
    )
    await db.transact(metrics.append, [one])
    assert await db.read(metrics.of_execution, "main", "e1") == (one,)
    assert await db.read(metrics.of_execution, "acme", "e1") == ()
    await db.transact(metrics.delete, "main", "e1")
    assert await db.read(metrics.of_execution, "main", "e1") == ()


async def test_a_timer_of_the_same_key_is_moved(db: Database, now):
    first, moved = Timer("main", "e1", "k", now), Timer("main", "e1", "k", now + timedelta(hours=1))
    await db.transact(timers.put, first)
    await db.transact(timers.put, moved)
    assert await db.read(timers.all_of_service) == (moved,)


async def test_timers_that_are_due(db: Database, now):
    soon, later = Timer("main", "e1", "a", now), Timer("main", "e1", "b", now + timedelta(hours=1))
    for timer in (later, soon):
        await db.transact(timers.put, timer)
    assert await db.read(timers.due, now) == (soon,)
    assert await db.read(timers.due, now + timedelta(hours=1)) == (soon, later)


async def test_acting_on_a_timer_does_not_remove_one_that_was_moved(db: Database, now):
    first, moved = Timer("main", "e1", "k", now), Timer("main", "e1", "k", now + timedelta(hours=1))
    await db.transact(timers.put, moved)
    assert not await db.transact(timers.remove, first)
    assert await db.read(timers.all_of_service) == (moved,)
    assert await db.transact(timers.remove, moved)
    assert await db.read(timers.all_of_service) == ()


async def test_messages_wait_until_they_are_sent(db: Database):
    first = await db.transact(outbox.add, "hint", {"job": "a"})
    second = await db.transact(outbox.add, "hint", {"job": "b"})
    assert await db.read(outbox.pending) == (first, second)
    await db.transact(outbox.sent, [first.seq])
    assert await db.read(outbox.pending) == (second,)


async def test_many_messages_keep_their_order(db: Database):
    before = await db.transact(outbox.add, "kill", {"job": "x"})
    added = await db.transact(outbox.add_all, "hint", [{"job": str(number)} for number in range(3_000)])
    after = await db.transact(outbox.add, "kill", {"job": "y"})
    assert [message.body["job"] for message in added] == [str(number) for number in range(3_000)]
    assert await db.read(outbox.pending, 5_000) == (before, *added, after)
    assert await db.transact(outbox.add_all, "hint", []) == ()


async def test_keys_and_values(db: Database, now):
    entry = Entry(
        key="k",
        value={"a": [1]},
        type="JSON",
        namespace="team",
        updated=now,
        expires=now + timedelta(minutes=1),
        created=now,
        revision=2,
    )
    await db.transact(kv.put, "main", "team", replace(entry, value="old"))
    await db.transact(kv.put, "main", "team", entry)
    assert await db.read(kv.get, "main", "team", "k", now) == entry
    assert await db.read(kv.get, "acme", "team", "k", now) is None
    assert await db.read(kv.get, "main", "team", "k", now + timedelta(minutes=1)) is None
    assert await db.read(kv.all_of, "main", "team", now) == (entry,)
    assert await db.transact(kv.delete, "main", "team", "k")
    assert not await db.transact(kv.delete, "main", "team", "k")


async def test_the_number_of_a_deleted_log_entry_is_not_given_again(db: Database, now):
    entry = LogEntry(tenant="main", namespace="team", flow_id="f", execution_id="e1", at=now, level="INFO", message="a")
    await db.transact(logs.append, [entry, entry])
    last = (await db.read(logs.of_execution, "main", "e1"))[-1].seq
    await db.transact(logs.delete, "main", "e1")
    await db.transact(logs.append, [entry])
    assert (await db.read(logs.of_execution, "main", "e1"))[0].seq > last
