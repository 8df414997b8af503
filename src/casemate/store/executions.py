"""Executions: a header with its JSON document, and a row for each task run, so that only what changed is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, false, func, select, true

from casemate.executions import (
    Execution,
    State,
    TaskRun,
    execution_document,
    execution_from,
    task_run_document,
    task_run_from,
)
from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskRunId, TenantId
from casemate.store.database import Tx
from casemate.store.errors import Conflict
from casemate.store.fields import Field, Named, among, anywhere, labelled, marked, refused, scoped
from casemate.store.rows import belongs, packed, unpacked
from casemate.store.schema import executions as table
from casemate.store.schema import task_runs
from casemate.store.search import Criterion, Page, condition, found

_MOST_NEW = 1_000_000
"""More task runs than one saved change can bring; keeps positions growing with the version."""


_STATE = Named(table.c.state, tuple(State))
_KINDS = {"NORMAL": true(), "DEFAULT": true(), "TEST": false(), "PLAYGROUND": false(), "LOOP": false()}
"""Kinds of executions; there are no others than the normal ones here."""

_FIELDS: dict[str, Field] = {
    "q": anywhere(table.c.id, table.c.namespace, table.c.flow),
    "id": table.c.id,
    "executionId": table.c.id,
    "namespace": table.c.namespace,
    "flowId": table.c.flow,
    "flowRevision": table.c.revision,
    "state": _STATE,
    "state.current": _STATE,
    "startDate": table.c.started,
    "state.startDate": table.c.started,
    "endDate": table.c.ended,
    "state.endDate": table.c.ended,
    "labels": labelled(table.c.labels),
    "triggerId": table.c.trigger,
    "triggerExecutionId": table.c.caller,
    "parentId": table.c.parent,
    "childFilter": among({"CHILD": table.c.caller.is_not(None), "MAIN": table.c.caller.is_(None)}),
    "scope": scoped(table.c.namespace),
    "kind": among(_KINDS),
    "open": table.c.open,
}

_LISTED: dict[str, ColumnElement[Any]] = {
    "namespace": table.c.namespace,
    "flowId": table.c.flow,
    "flowRevision": table.c.revision,
    "state": table.c.state,
    "triggerId": table.c.trigger,
    "triggerExecutionId": table.c.caller,
    "parentId": table.c.parent,
}

_BY_ID = (table.c.tenant == bindparam("key_tenant")) & (table.c.id == bindparam("key_id"))
_GET = select(table.c.document, table.c.version).where(_BY_ID)
_INSERT = table.insert()
_SAVE = table.update().where(_BY_ID, table.c.version == bindparam("key_version"))
_RUNS = (
    select(task_runs.c.document)
    .where(task_runs.c.tenant == bindparam("key_tenant"), task_runs.c.execution == bindparam("key_id"))
    .order_by(task_runs.c.position)
)
_RUN_BY_ID = (
    (task_runs.c.tenant == bindparam("key_tenant"))
    & (task_runs.c.execution == bindparam("key_execution"))
    & (task_runs.c.id == bindparam("key_id"))
)
_ADD_RUN = task_runs.insert()
_SAVE_RUN = task_runs.update().where(_RUN_BY_ID)
_DROP_RUN = task_runs.delete().where(_RUN_BY_ID)


def insert(tx: Tx, execution: Execution) -> Execution:
    """Add a new execution with all its task runs; what is returned has its first version."""
    stored = replace(execution, version=1)
    tx.execute(_INSERT, {"tenant": stored.tenant, "id": stored.id, **_fixed(stored), **_header(stored)})
    _write_runs(tx, stored, {}, tuple(stored.task_runs))
    return stored


def save(tx: Tx, before: Execution, after: Execution, changed: Iterable[TaskRunId]) -> Execution:
    """Write the header and the changed task runs, if nobody else did since `before` was read; else raises `Conflict`.

    A changed task run that is gone from the execution is deleted. What is returned has the next version.
    """
    stored = replace(after, version=before.version + 1)
    key = {"key_tenant": stored.tenant, "key_id": stored.id, "key_version": before.version}
    header = {"version": stored.version} if _has_same_header(before, after) else _header(stored)
    if tx.execute(_SAVE, {**header, **key}).rowcount != 1:
        raise Conflict(f"Execution {stored.id} was changed by someone else since version {before.version}")
    _write_runs(tx, stored, before.task_runs, tuple(dict.fromkeys(changed)))
    return stored


def _has_same_header(before: Execution, after: Execution) -> bool:
    """Did only task runs change? Many steps do no more than that, and a header may hold large inputs."""
    return not after.state.terminated and replace(after, task_runs=before.task_runs) == before


def _fixed(execution: Execution) -> dict[str, Any]:
    """Columns that never change; an index that holds one of them need not be touched by a save."""
    trigger = execution.trigger or {}
    variables = trigger.get("variables")
    return {
        "namespace": execution.namespace,
        "flow": execution.flow_id,
        "started": execution.history.start,
        "trigger": trigger.get("id"),
        "parent": execution.parent_id,
        "caller": variables.get("executionId") if isinstance(variables, Mapping) else None,
    }


def _header(execution: Execution) -> dict[str, Any]:
    return {
        "revision": execution.flow_revision,
        "state": execution.state.value,
        "open": is_open(execution),
        "ended": execution.history.end,
        "labels": marked(execution.labels),
        "version": execution.version,
        "document": packed(execution_document(execution)),
        "slot": execution.holds_slot or None,
        "queued": execution.queued_since,
    }


def is_open(execution: Execution) -> bool:
    """Has it more to do? Tasks may follow the end of the execution itself, so its state alone does not say."""
    return not execution.over or any(not run.state.terminated for run in execution.task_runs.values())


def _write_runs(
    tx: Tx, execution: Execution, before: Mapping[TaskRunId, TaskRun], changed: Sequence[TaskRunId]
) -> None:
    place = {"key_tenant": execution.tenant, "key_execution": execution.id}
    runs = execution.task_runs
    # In the order of their changes, which is that of their creation: looking through all task runs would cost more.
    new = [key for key in changed if key in runs and key not in before]
    kept = [runs[key] for key in changed if key in runs and key in before]
    gone = [key for key in changed if key not in runs and key in before]
    if new:
        tx.execute(_ADD_RUN, [_run_row(execution, runs[key], number) for number, key in enumerate(new)])
    if kept:
        tx.execute(_SAVE_RUN, [{**_run_state(run), **place, "key_id": run.id} for run in kept])
    if gone:
        tx.execute(_DROP_RUN, [{**place, "key_id": key} for key in gone])


def _run_row(execution: Execution, run: TaskRun, number: int) -> dict[str, Any]:
    position = execution.version * _MOST_NEW + number
    place = {"tenant": execution.tenant, "execution": execution.id, "id": run.id}
    return {**place, "position": position, **_run_state(run)}


def _run_state(run: TaskRun) -> dict[str, Any]:
    return {"state": run.state.value, "document": packed(task_run_document(run))}


def get(tx: Tx, tenant: TenantId, execution: ExecutionId) -> Execution | None:
    """The execution with its task runs, in the order of their creation."""
    key = {"key_tenant": tenant, "key_id": execution}
    row = tx.execute(_GET, key).first()
    if row is None:
        return None
    runs = tx.scalars(_RUNS, key)
    return execution_from(unpacked(row.document), (task_run_from(unpacked(run)) for run in runs), row.version)


def state_of(tx: Tx, tenant: TenantId, execution: ExecutionId) -> str | None:
    """The state of one, without reading the rest of it."""
    return tx.scalar(select(table.c.state).where(table.c.tenant == tenant, table.c.id == execution))


def search(
    tx: Tx, tenant: TenantId, filters: Sequence[Criterion] = (), page: Page | None = None
) -> tuple[tuple[Execution, ...], int]:
    """Executions, newest first unless the page says otherwise; and how many there are."""
    columns = select(table.c.id, table.c.started)
    statement = columns.where(table.c.tenant == tenant, condition(_FIELDS, filters))
    rows, total = found(tx, statement, _FIELDS, page or Page(), (table.c.started.desc(), table.c.id))
    read = (get(tx, tenant, row.id) for row in rows)
    return tuple(execution for execution in read if execution is not None), total


def count(tx: Tx, tenant: TenantId, filters: Sequence[Criterion]) -> int:
    """How many executions the filters find."""
    statement = select(func.count()).select_from(table).where(table.c.tenant == tenant, condition(_FIELDS, filters))
    return tx.scalar(statement) or 0


def distinct(
    tx: Tx, tenant: TenantId, name: str, filters: Sequence[Criterion] = (), most: int = 100
) -> tuple[object, ...]:
    """The values that a field has, sorted; at most so many. Raises `Refused` for fields whose values are not listed."""
    if name not in _LISTED:
        raise refused(f"The values of field {name[:100]} can't be listed", f"one of {', '.join(_LISTED)}")
    column = _LISTED[name]
    mine = (table.c.tenant == tenant, condition(_FIELDS, filters), column.is_not(None))
    return tuple(tx.scalars(select(column).where(*mine).distinct().order_by(column).limit(most)))


def durations(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId, most: int = 100) -> tuple[timedelta, ...]:
    """How long the newest executions of a flow took that have ended, newest first."""
    mine = belongs(table, tenant, namespace, flow)
    over = (table.c.state.in_([state for state in State if state.terminated]), table.c.ended.is_not(None))
    ended = select(table.c.started, table.c.ended).where(mine, *over).order_by(table.c.started.desc()).limit(most)
    return tuple(row.ended - row.started for row in tx.execute(ended))


def unfinished(tx: Tx) -> tuple[tuple[TenantId, ExecutionId], ...]:
    """Every execution of every tenant that has more to do, oldest first; for the service's own start."""
    rows = tx.execute(select(table.c.tenant, table.c.id).where(table.c.open.is_(True)).order_by(table.c.started))
    return tuple((row.tenant, row.id) for row in rows)


def open_revisions(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> frozenset[int]:
    """The revisions of a flow of which executions have not ended."""
    mine = belongs(table, tenant, namespace, flow)
    return frozenset(tx.scalars(select(table.c.revision).where(mine, table.c.open.is_(True)).distinct()))


def called_by(tx: Tx, tenant: TenantId, execution: ExecutionId) -> tuple[ExecutionId, ...]:
    """The executions that this one started and that have not ended."""
    statement = select(table.c.id).where(table.c.tenant == tenant, table.c.caller == execution, table.c.open.is_(True))
    return tuple(tx.scalars(statement))


def started_by(tx: Tx, tenant: TenantId, names: Sequence[ExecutionId]) -> tuple[ExecutionId, ...]:
    """The executions that these started, by a task or a trigger, whether they have ended or not; oldest first."""
    mine = select(table.c.id).where(table.c.tenant == tenant, table.c.caller.in_(names)).order_by(table.c.started)
    return tuple(tx.scalars(mine))


def starter_of(tx: Tx, tenant: TenantId, names: Sequence[ExecutionId]) -> tuple[ExecutionId, ...]:
    """The executions that started these."""
    mine = select(table.c.caller).where(table.c.tenant == tenant, table.c.id.in_(names), table.c.caller.is_not(None))
    started = select(table.c.id).where(table.c.tenant == tenant, table.c.id.in_(mine.scalar_subquery()))
    return tuple(tx.scalars(started))


def delete(tx: Tx, tenant: TenantId, execution: ExecutionId) -> bool:
    """Remove the execution and its task runs; other aggregates remove their own rows."""
    tx.execute(task_runs.delete().where(task_runs.c.tenant == tenant, task_runs.c.execution == execution))
    return tx.execute(table.delete().where(table.c.tenant == tenant, table.c.id == execution)).rowcount == 1
