"""Places are counted by index, and older databases learn of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from casemate.flows import Concurrency
from casemate.identifiers import MAIN, FlowId, Namespace
from casemate.store import Database, flows
from casemate.store.upgrade import configuration, upgrade

pytestmark = pytest.mark.anyio

FLOW = """
id: limited
namespace: company.team
concurrency:
  limit: 2
tasks: []
"""

SAVED = (
    "INSERT INTO flows (tenant, namespace, id, revision, last, deleted, disabled, labels, source, updated) "
    "VALUES ('main', 'company.team', ?, 1, true, false, false, '', ?, 0)"
)

STARTED = (
    "INSERT INTO executions (tenant, id, namespace, flow, revision, state, open, started, labels, version, document) "
    "VALUES ('main', ?, 'company.team', 'limited', 1, ?, true, 0, '', 1, '{}')"
)


async def test_counting_reads_no_more_than_those_who_run_or_wait(tmp_path: Path):
    Database.open(f"sqlite:///{tmp_path}/state.db").close()
    count = "EXPLAIN QUERY PLAN SELECT count(*) FROM executions WHERE tenant = 't' AND namespace = 'n' AND flow = 'f'"
    with sqlite3.connect(tmp_path / "state.db") as connection:
        running = str(connection.execute(f"{count} AND slot IS 1").fetchall())
        waiting = str(connection.execute(f"{count} AND queued IS NOT NULL").fetchall())

    assert "INDEX executions_slot" in running
    assert "INDEX executions_queued" in waiting


async def test_an_older_database_learns_of_limits_and_of_who_runs(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/state.db"
    with create_engine(url).begin() as connection:
        command.upgrade(configuration(connection), "0004")
        for flow in (("limited", FLOW), ("free", "id: free"), ("broken", "{")):
            connection.exec_driver_sql(SAVED, flow)
        for state in ("RUNNING", "PAUSED", "SUCCESS", "CREATED"):
            connection.exec_driver_sql(STARTED, (state, state))
        upgrade(connection)
        rows = connection.exec_driver_sql("SELECT id FROM executions WHERE slot IS 1 ORDER BY id").scalars().all()
    assert rows == ["PAUSED", "RUNNING"]
    db = Database.open(url)
    try:
        found = [
            (await db.read(flows.latest, MAIN, Namespace("company.team"), FlowId(name))).concurrency
            for name in ("limited", "free", "broken")
        ]
    finally:
        db.close()
    assert found == [Concurrency(limit=2), None, None]
