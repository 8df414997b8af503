"""Records of triggers: kept with their flows, changed by one at a time, seen by one tenant."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from casemate.core import catalog
from casemate.flows import Flow, Label, read_flow
from casemate.identifiers import MAIN, ExecutionId, FlowId, Namespace, TenantId
from casemate.store import Conflict, Database, Filter, flows, triggers
from casemate.store.upgrade import configuration, upgrade
from casemate.triggers import Backfill

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PLACE = (MAIN, Namespace("company.team"), FlowId("timed"))

TIMED = """
id: timed
namespace: company.team
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hello}
triggers:
  - {id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "@daily", stopAfter: [FAILED]}
  - {id: poll, type: io.kestra.plugin.core.http.Trigger, uri: "http://example.com"}
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: abc}
"""


def flow(source: str = TIMED, tenant: TenantId = MAIN) -> Flow:
    read = read_flow(source, catalog(), tenant)
    assert isinstance(read, Flow), read
    return read


async def saved(db: Database, source: str = TIMED):
    await db.transact(flows.save, flow(source), NOW)
    return await db.read(triggers.of_flow, *PLACE)


async def test_a_saved_flow_has_a_record_for_each_trigger_that_is_scheduled(db: Database):
    daily, poll = await saved(db)
    assert (daily.trigger_id, daily.kind, daily.stop_after) == ("daily", "SCHEDULE", ("FAILED",))
    assert (poll.trigger_id, poll.kind) == ("poll", "POLLING")
    assert not daily.planned
    assert daily.next_date is None


async def test_a_trigger_that_did_not_change_is_left_alone(db: Database):
    daily, _ = await saved(db)
    planned = replace(daily, planned=True, next_date=NOW, disabled=True)
    await db.transact(triggers.save, daily, planned)
    daily, poll = await saved(db, TIMED.replace("hello", "good morning"))
    assert daily == replace(planned, version=2)
    assert poll.version == 1


async def test_a_changed_trigger_is_planned_anew_and_stays_switched_off(db: Database):
    daily, _ = await saved(db)
    await db.transact(triggers.save, daily, replace(daily, planned=True, next_date=NOW, disabled=True))
    daily, _ = await saved(db, TIMED.replace("@daily", "@hourly"))
    assert (daily.planned, daily.next_date, daily.disabled) == (False, None, True)


async def test_the_records_of_a_disabled_flow_are_planned_anew(db: Database):
    daily, _ = await saved(db)
    await db.transact(triggers.save, daily, replace(daily, planned=True, next_date=NOW))
    daily, _ = await saved(db, f"{TIMED}disabled: true\n")
    assert not daily.planned


async def test_a_trigger_that_is_gone_has_no_record(db: Database):
    await saved(db)
    (left,) = await saved(db, "\n".join(line for line in TIMED.splitlines() if "daily" not in line))
    assert left.trigger_id == "poll"


async def test_a_deleted_flow_has_no_records_and_a_new_one_has_them_again(db: Database):
    await saved(db)
    await db.transact(flows.delete, *PLACE, NOW)
    assert await db.read(triggers.of_flow, *PLACE) == ()
    assert len(await saved(db)) == 2


async def test_of_two_who_change_a_record_the_second_is_refused(db: Database):
    daily, _ = await saved(db)
    await db.transact(triggers.save, daily, replace(daily, disabled=True))
    with pytest.raises(Conflict):
        await db.transact(triggers.save, daily, replace(daily, planned=True))


async def test_a_record_comes_back_as_it_was_kept(db: Database):
    daily, _ = await saved(db)
    whole = replace(
        daily,
        planned=True,
        date=NOW,
        next_date=NOW + timedelta(days=1),
        evaluated=NOW,
        triggered=NOW,
        execution_id=ExecutionId("e"),
        evaluating_since=NOW,
        backfill=Backfill(
            start=NOW,
            end=NOW + timedelta(days=9),
            current=NOW + timedelta(days=2),
            inputs={"a": 1},
            labels=(Label("a", "b"),),
            previous_next=NOW,
        ),
        disabled=True,
    )
    stored = await db.transact(triggers.save, daily, whole)
    assert stored == replace(whole, version=2)
    assert await db.read(triggers.get, daily.key) == stored


async def test_work_is_what_is_unplanned_over_or_due(db: Database):
    daily, poll = await saved(db)
    work = await db.read(triggers.work, NOW, 10)
    assert [one.trigger_id for one in work.unplanned] == ["daily", "poll"]
    daily = await db.transact(triggers.save, daily, replace(daily, planned=True, next_date=NOW))
    poll = await db.transact(triggers.save, poll, replace(poll, planned=True, execution_id=ExecutionId("gone")))
    work = await db.read(triggers.work, NOW, 10)
    assert (work.unplanned, work.over, work.due) == ((), (poll,), (daily,))


@pytest.mark.parametrize(
    "state",
    [
        {"next_date": NOW + timedelta(seconds=1)},
        {"disabled": True},
        {"execution_id": ExecutionId("e")},
        {"evaluating_since": NOW},
        {"next_date": None},
    ],
)
async def test_not_due(db: Database, state: dict):
    daily, _ = await saved(db)
    await db.transact(triggers.save, daily, replace(daily, planned=True, **{"next_date": NOW, **state}))
    assert (await db.read(triggers.work, NOW, 10)).due == ()


async def test_looking_for_work_reads_no_more_than_there_is(tmp_path: Path, db: Database):
    where = {
        "planned IS 0": "triggers_unplanned",
        "execution IS NOT NULL": "triggers_execution",
        "planned IS 1 AND next <= 5": "triggers_next",
    }
    with sqlite3.connect(tmp_path / "state.db") as connection:
        for condition, index in where.items():
            plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM triggers WHERE {condition}").fetchall()
            assert index in str(plan)


async def test_another_tenant_sees_nothing(db: Database):
    await saved(db)
    other = TenantId("other")
    assert await db.read(triggers.of_flow, other, *PLACE[1:]) == ()
    assert await db.read(triggers.get, (other, *PLACE[1:], "daily")) is None
    assert await db.read(triggers.search, other) == ((), 0)
    await db.transact(triggers.drop, other, *PLACE[1:])
    assert not await db.transact(triggers.delete, (other, *PLACE[1:], "daily"))
    assert len(await db.read(triggers.of_flow, *PLACE)) == 2


async def test_searching(db: Database):
    await saved(db)
    found, total = await db.read(triggers.search, MAIN, (Filter("kind", "EQUALS", "POLLING"),))
    assert ([one.trigger_id for one in found], total) == (["poll"], 1)


OLD = (
    "INSERT INTO flows (tenant, namespace, id, revision, last, deleted, disabled, labels, source, updated) "
    "VALUES ('main', 'company.team', ?, 1, true, ?, false, '', ?, 0)"
)


async def test_an_older_database_gets_records_for_the_flows_that_are_there(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/state.db"
    with create_engine(url).begin() as connection:
        command.upgrade(configuration(connection), "0005")
        for name, deleted, source in (("timed", False, TIMED), ("gone", True, TIMED), ("broken", False, "{")):
            connection.exec_driver_sql(OLD, (name, deleted, source))
        upgrade(connection)
    db = Database.open(url)
    try:
        found, total = await db.read(triggers.search, MAIN)
    finally:
        db.close()
    assert total == 2
    assert [(one.flow_id, one.trigger_id, one.kind, one.planned) for one in found] == [
        ("timed", "daily", "SCHEDULE", False),
        ("timed", "poll", "POLLING", False),
    ]
    assert found[0].stop_after == ("FAILED",)
