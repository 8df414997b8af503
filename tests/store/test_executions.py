"""Executions: headers, task runs, compare and swap."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from casemate.executions import Execution, History, State, TaskRun
from casemate.flows import Label
from casemate.store import Conflict, Database, Filter, Page, Tx, executions

pytestmark = pytest.mark.anyio


@pytest.fixture
def execution(now) -> Execution:
    return Execution(
        id="e1",
        tenant="main",
        namespace="company.team",
        flow_id="hello",
        flow_revision=2,
        history=History.begun(now),
        inputs={"name": "Zoë", "n": 1.5},
        labels=(Label("env", "prod"),),
        trigger={"id": "parent", "type": "x", "variables": {"executionId": "e0"}},
    )


def run(name: str, now, state: State = State.CREATED) -> TaskRun:
    return TaskRun(id=name, task_id="t", history=History.begun(now, state))


def with_runs(execution: Execution, *runs: TaskRun) -> Execution:
    return replace(execution, task_runs={**execution.task_runs, **{each.id: each for each in runs}})


async def test_what_goes_in_comes_out(db: Database, execution, now):
    stored = await db.transact(executions.insert, with_runs(execution, run("r2", now), run("r1", now)))
    assert stored.version == 1
    read = await db.read(executions.get, "main", "e1")
    assert read == stored
    assert list(read.task_runs) == ["r2", "r1"]


async def test_a_change_writes_what_changed(db: Database, execution, now):
    first = await db.transact(executions.insert, with_runs(execution, run("r1", now), run("r2", now)))
    next_ = with_runs(
        replace(first, history=first.history.to(State.RUNNING, now)), run("r1", now, State.RUNNING), run("r0", now)
    )
    stored = await db.transact(executions.save, first, next_, ("r1", "r0"))
    assert stored.version == 2
    assert await db.read(executions.get, "main", "e1") == stored
    assert list(stored.task_runs) == ["r1", "r2", "r0"]


async def test_task_runs_that_are_gone_are_deleted_and_later_ones_stay_last(db: Database, execution, now):
    stored = await db.transact(executions.insert, with_runs(execution, *(run(f"r{n}", now) for n in range(4))))
    for name in ("r9", "r8"):
        kept = dict(list(stored.task_runs.items())[1:])
        gone = next(iter(stored.task_runs))
        stored = await db.transact(
            executions.save, stored, with_runs(replace(stored, task_runs=kept), run(name, now)), (gone, name)
        )
    read = await db.read(executions.get, "main", "e1")
    assert list(read.task_runs) == ["r2", "r3", "r9", "r8"]


async def test_only_one_of_two_writers_wins(db: Database, execution, now):
    first = await db.transact(executions.insert, execution)
    await db.transact(executions.save, first, first, ())
    with pytest.raises(Conflict):
        await db.transact(executions.save, first, with_runs(first, run("r1", now)), ("r1",))
    assert (await db.read(executions.get, "main", "e1")).task_runs == {}


async def test_tenants_do_not_see_each_other(db: Database, execution):
    await db.transact(executions.insert, execution)
    assert await db.read(executions.get, "acme", "e1") is None
    assert await db.read(executions.search, "acme") == ((), 0)
    assert not await db.transact(executions.delete, "acme", "e1")
    assert await db.read(executions.get, "main", "e1") is not None


async def test_a_deleted_execution_leaves_no_rows(db: Database, execution, now):
    await db.transact(executions.insert, with_runs(execution, run("r1", now)))
    assert await db.transact(executions.delete, "main", "e1")
    await db.transact(executions.insert, execution)
    assert (await db.read(executions.get, "main", "e1")).task_runs == {}


async def test_unfinished_are_those_with_more_to_do(db: Database, execution, now):
    ended = History.begun(now, State.SUCCESS)

    def fill(tx: Tx) -> None:
        executions.insert(tx, execution)
        executions.insert(tx, replace(execution, id="over", history=ended))
        executions.insert(tx, with_runs(replace(execution, id="after", history=ended), run("r", now, State.RUNNING)))

    await db.transact(fill)
    assert set(await db.read(executions.unfinished)) == {("main", "e1"), ("main", "after")}


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ((), ["e3", "e2", "e1"]),
        ((Filter("state", "IN", ["FAILED", "KILLED"]),), ["e2"]),
        ((Filter("state", "NOT_IN", ["FAILED"]),), ["e3", "e1"]),
        ((Filter("labels", "EQUALS", "env:prod"),), ["e2", "e1"]),
        ((Filter("flowId", "EQUALS", "other"),), ["e3"]),
        ((Filter("triggerExecutionId", "EQUALS", "e0"),), ["e2", "e1"]),
        ((Filter("childFilter", "EQUALS", "MAIN"),), ["e3"]),
        ((Filter("childFilter", "EQUALS", "CHILD"),), ["e2", "e1"]),
        ((Filter("q", "EQUALS", "E2"),), ["e2"]),
    ],
)
async def test_search(db: Database, execution, now, filters, ids):
    later = now + timedelta(minutes=1)
    failed = History.begun(later).to(State.FAILED, later)
    others = {"flow_id": "other", "labels": (), "trigger": None}
    for each in (
        execution,
        replace(execution, id="e2", history=failed),
        replace(execution, id="e3", history=History.begun(later + timedelta(minutes=1)), **others),
    ):
        await db.transact(executions.insert, each)
    rows, total = await db.read(executions.search, "main", filters)
    assert [row.id for row in rows] == ids
    assert total == len(ids)


async def test_search_by_date_and_order(db: Database, execution, now):
    for number in range(4):
        started = History.begun(now + timedelta(hours=number))
        await db.transact(executions.insert, replace(execution, id=f"e{number}", history=started))
    since = Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", now + timedelta(hours=1))
    rows, total = await db.read(executions.search, "main", (since,), Page(size=2, sort=("state.startDate:asc",)))
    assert [row.id for row in rows] == ["e1", "e2"]
    assert total == 3


async def test_children_are_found(db: Database, execution):
    await db.transact(executions.insert, execution)
    assert await db.read(executions.called_by, "main", "e0") == ("e1",)
    assert await db.read(executions.called_by, "acme", "e0") == ()


async def test_the_revisions_that_executions_still_run(db: Database, execution, now):
    await db.transact(executions.insert, execution)
    await db.transact(executions.insert, replace(execution, id="other", tenant="other", flow_revision=7))
    ended = replace(execution, id="ended", flow_revision=1, history=History.begun(now, State.SUCCESS))
    await db.transact(executions.insert, ended)
    assert await db.read(executions.open_revisions, "main", "company.team", "hello") == {2}
