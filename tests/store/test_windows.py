"""Windows of Flow triggers, and which flows have such triggers."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from casemate.flows import FLOW_TRIGGER, Flow, Trigger
from casemate.identifiers import MAIN, FlowId, Namespace, TenantId
from casemate.store import Database, flows, stopped, windows
from casemate.store.upgrade import configuration, upgrade
from casemate.triggers import Bounds, Window

pytestmark = pytest.mark.anyio

PLACE = (MAIN, Namespace("company.team"), FlowId("listener"))
OTHER = (TenantId("other"), *PLACE[1:])


def window(now: datetime, *met: str) -> Window:
    return Window(Bounds(now, now + timedelta(hours=1)), frozenset(met), {"x": [1]} if met else {})


async def test_windows_are_kept_by_flow_and_id(db: Database, now: datetime):
    one, two = window(now, "a"), window(now)
    await db.transact(windows.save, *PLACE, {"one": one, "two": two})
    await db.transact(windows.save, *OTHER, {"one": two})
    assert await db.read(windows.of_flow, *PLACE) == {"one": one, "two": two}
    await db.transact(windows.save, *PLACE, {"one": window(now, "a", "b"), "two": None})
    assert await db.read(windows.of_flow, *PLACE) == {"one": window(now, "a", "b")}
    assert await db.read(windows.of_flow, *OTHER) == {"one": two}


async def test_only_what_is_over_is_purged_and_only_of_the_tenant(db: Database, now: datetime):
    for place in (PLACE, OTHER):
        await db.transact(windows.save, *place, {"w": window(now)})
    await db.transact(windows.purge, MAIN, now + timedelta(hours=1))
    assert await db.read(windows.of_flow, *PLACE)
    await db.transact(windows.purge, MAIN, now + timedelta(hours=1, microseconds=1))
    assert await db.read(windows.of_flow, *PLACE) == {}
    assert await db.read(windows.of_flow, *OTHER)


def listener(**more) -> Flow:
    trigger = Trigger(id="t", type=FLOW_TRIGGER, canonical=FLOW_TRIGGER)
    tenant, namespace, name = PLACE
    flow = Flow(tenant=tenant, namespace=namespace, id=name, tasks=(), source="1", document={}, triggers=(trigger,))
    return replace(flow, **more)


async def test_flows_that_listen_are_those_of_the_last_revision(db: Database, now: datetime):
    async def listening() -> tuple[flows.Revision, ...]:
        return await db.read(flows.listening, MAIN)

    await db.transact(flows.save, listener(), now)
    assert await listening() == ((*PLACE[1:], 1),)
    assert await db.read(flows.listening, OTHER[0]) == ()
    await db.transact(flows.save, listener(source="2", triggers=()), now)
    assert await listening() == ()
    await db.transact(flows.save, listener(source="3"), now)
    assert await listening() == ((*PLACE[1:], 3),)
    await db.transact(flows.save, listener(source="4", disabled=True), now)
    assert await listening() == ()
    await db.transact(flows.save, listener(source="5"), now)
    await db.transact(flows.delete, *PLACE, now)
    assert await listening() == ()


async def test_they_are_found_by_an_index(db: Database, url: str):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT namespace, id, revision FROM flows WHERE tenant = 'main' AND listens IS 1 "
            "ORDER BY namespace, id"
        ).fetchall()
    assert "flows_listens" in str(plan)


async def test_what_is_stopped_stays_so_until_the_flow_is_saved_anew(db: Database, now: datetime):
    await db.transact(flows.save, listener(), now)
    for place in (PLACE, OTHER):
        await db.transact(stopped.add, *place, "t")
        await db.transact(stopped.add, *place, "t")
    await db.transact(flows.save, listener(), now)  # the same text makes no revision
    assert await db.read(stopped.of_flow, *PLACE) == {"t"}
    await db.transact(flows.save, listener(source="2"), now)
    assert await db.read(stopped.of_flow, *PLACE) == frozenset()
    assert await db.read(stopped.of_flow, *OTHER) == {"t"}


SAVED = (
    "INSERT INTO flows (tenant, namespace, id, revision, last, deleted, disabled, labels, source, updated) "
    "VALUES ('main', 'company.team', ?, 1, true, false, ?, '', ?, 0)"
)


async def test_older_databases_learn_which_flows_listen(tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path}/state.db")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0007")
    with sqlite3.connect(tmp_path / "state.db") as connection:
        written = "triggers: [{id: t, type: io.kestra.core.models.triggers.types.Flow}]"
        connection.execute(SAVED, ("listens", False, written))
        connection.execute(SAVED, ("disabled", True, written))
        connection.execute(SAVED, ("hook", False, "triggers: [{id: t, type: io.kestra.plugin.core.trigger.Webhook}]"))
        connection.execute(SAVED, ("broken", False, "triggers: [x, {}]"))
        connection.execute(SAVED, ("unreadable", False, "a: [b"))
    with engine.begin() as connection:
        upgrade(connection)
    db = Database.open(f"sqlite:///{tmp_path}/state.db")
    assert await db.read(flows.listening, MAIN) == (("company.team", "listens", 1),)
    db.close()
