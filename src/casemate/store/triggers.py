"""Triggers: a record for each trigger of the last revision of a flow that the scheduler looks at (spec/engine 9.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, select

from casemate.flows import Flow, Label
from casemate.identifiers import ExecutionId, FlowId, Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.errors import Conflict
from casemate.store.fields import Field, among, anywhere, scoped
from casemate.store.rows import belongs, packed, unpacked
from casemate.store.schema import executions
from casemate.store.schema import triggers as table
from casemate.store.search import Criterion, Page, condition, found
from casemate.triggers import Backfill, TriggerKey, TriggerState, fresh_states, redefined

_LOCKED = table.c.execution.is_not(None) | table.c.evaluating.is_not(None)

_FIELDS: dict[str, Field] = {
    "q": anywhere(table.c.namespace, table.c.flow, table.c.id),
    "namespace": table.c.namespace,
    "flowId": table.c.flow,
    "triggerId": table.c.id,
    "kind": table.c.kind,
    "executionId": table.c.execution,
    "disabled": table.c.disabled,
    "triggerState": among({"ENABLED": table.c.disabled.is_(False), "DISABLED": table.c.disabled.is_(True)}),
    "locked": among({"true": _LOCKED, "false": ~_LOCKED}),
    "nextEvaluationDate": table.c.next,
    "nextExecutionDate": table.c.next,
    "evaluatedAt": table.c.evaluated,
    "lastTriggeredDate": table.c.triggered,
    "updatedAt": table.c.updated,
    "scope": scoped(table.c.namespace),
}

_BY_KEY = (
    (table.c.tenant == bindparam("key_tenant"))
    & (table.c.namespace == bindparam("key_namespace"))
    & (table.c.flow == bindparam("key_flow"))
    & (table.c.id == bindparam("key_id"))
)
_GET = select(table).where(_BY_KEY)
_INSERT = table.insert()
_SAVE = table.update().where(_BY_KEY, table.c.version == bindparam("key_version"))
_DELETE = table.delete().where(_BY_KEY)


def keep(tx: Tx, flow: Flow, now: datetime) -> None:
    """A flow was saved: add the records of new triggers, plan changed ones anew, remove those of triggers gone."""
    known = {state.trigger_id: state for state in of_flow(tx, flow.tenant, flow.namespace, flow.id)}
    for fresh in fresh_states(flow, now):
        before = known.pop(fresh.trigger_id, None)
        if before is None:
            add(tx, fresh)
        elif before.definition != fresh.definition:
            save(tx, before, redefined(before, fresh))
    for gone in known.values():
        delete(tx, gone.key)


def drop(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> None:
    """A flow was deleted, and the records of its triggers with it."""
    tx.execute(table.delete().where(belongs(table, tenant, namespace, flow)))


def add(tx: Tx, state: TriggerState) -> TriggerState:
    """Add a record; what is returned has its first version."""
    stored = replace(state, version=1)
    tx.execute(_INSERT, {**_place(stored), **_row(stored)})
    return stored


def save(tx: Tx, before: TriggerState, after: TriggerState) -> TriggerState:
    """Change a record, if nobody else did since `before` was read; else raises `Conflict`.

    What is returned has the next version.
    """
    stored = replace(after, version=before.version + 1)
    if tx.execute(_SAVE, {**_row(stored), **_key(before.key), "key_version": before.version}).rowcount != 1:
        raise Conflict(f"Trigger {before.trigger_id} was changed by someone else since version {before.version}")
    return stored


def delete(tx: Tx, key: TriggerKey) -> bool:
    """Remove a record; was there one? The next save of its flow makes it anew."""
    return tx.execute(_DELETE, _key(key)).rowcount == 1


def get(tx: Tx, key: TriggerKey) -> TriggerState | None:
    """One record."""
    row = tx.execute(_GET, _key(key)).first()
    return None if row is None else _state(row)


def of_flow(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> tuple[TriggerState, ...]:
    """The records of a flow, by id."""
    rows = tx.execute(select(table).where(belongs(table, tenant, namespace, flow)).order_by(table.c.id))
    return tuple(_state(row) for row in rows)


def search(
    tx: Tx, tenant: TenantId, filters: Sequence[Criterion] = (), page: Page | None = None
) -> tuple[tuple[TriggerState, ...], int]:
    """Records, by namespace, flow and id unless the page says otherwise; and how many there are."""
    statement = select(table).where(table.c.tenant == tenant, condition(_FIELDS, filters))
    rows, total = found(tx, statement, _FIELDS, page or Page(), (table.c.namespace, table.c.flow, table.c.id))
    return tuple(_state(row) for row in rows), total


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do for the scheduler, of all tenants."""

    unplanned: tuple[TriggerState, ...]
    """Their next date is to be worked out."""
    over: tuple[TriggerState, ...]
    """The execution that they started last is over, or gone."""
    due: tuple[TriggerState, ...]
    """Their date has come."""


def work(tx: Tx, now: datetime, limit: int) -> Work:
    """At most `limit` of each."""
    theirs = (executions.c.tenant == table.c.tenant) & (executions.c.id == table.c.execution)
    open_ = select(executions.c.id).where(theirs, executions.c.open.is_(True)).exists()
    free = table.c.disabled.is_(False) & table.c.execution.is_(None) & table.c.evaluating.is_(None)
    return Work(
        unplanned=_some(tx, table.c.planned.is_(False), limit),
        over=_some(tx, table.c.execution.is_not(None) & ~open_, limit),
        due=_some(tx, table.c.planned.is_(True) & (table.c.next <= now) & free, limit),
    )


def wake(tx: Tx) -> None:
    """Plan every record of every tenant anew that has no next date; for the service's own start."""
    tx.execute(table.update().where(table.c.next.is_(None)).values(planned=False, version=table.c.version + 1))


def unfinished(tx: Tx) -> tuple[TriggerState, ...]:
    """Every record of every tenant that an evaluation holds; for the service's own start."""
    return _some(tx, table.c.evaluating.is_not(None), None)


def overdue(tx: Tx, now: datetime) -> tuple[TriggerState, ...]:
    """Every record of every tenant whose date has passed; for the service's own start."""
    return _some(tx, table.c.planned.is_(True) & (table.c.next <= now), None)


def _some(tx: Tx, which: ColumnElement[bool], limit: int | None) -> tuple[TriggerState, ...]:
    rows = tx.execute(select(table).where(which).order_by(table.c.next, table.c.id).limit(limit))
    return tuple(_state(row) for row in rows)


def _key(key: TriggerKey) -> dict[str, object]:
    tenant, namespace, flow, name = key
    return {"key_tenant": tenant, "key_namespace": namespace, "key_flow": flow, "key_id": name}


def _place(state: TriggerState) -> dict[str, object]:
    return {"tenant": state.tenant, "namespace": state.namespace, "flow": state.flow_id, "id": state.trigger_id}


def _row(state: TriggerState) -> dict[str, Any]:
    return {
        "kind": state.kind,
        "definition": state.definition,
        "planned": state.planned,
        "date": state.date,
        "next": state.next_date,
        "evaluated": state.evaluated,
        "triggered": state.triggered,
        "execution": state.execution_id,
        "evaluating": state.evaluating_since,
        "backfill": None if state.backfill is None else packed(_written(state.backfill)),
        "stop_after": packed(state.stop_after),
        "disabled": state.disabled,
        "updated": state.updated,
        "version": state.version,
    }


def _state(row: Row[Any]) -> TriggerState:
    return TriggerState(
        tenant=row.tenant,
        namespace=row.namespace,
        flow_id=row.flow,
        trigger_id=row.id,
        kind=row.kind,
        definition=row.definition,
        planned=row.planned,
        date=row.date,
        next_date=row.next,
        evaluated=row.evaluated,
        triggered=row.triggered,
        execution_id=None if row.execution is None else ExecutionId(row.execution),
        evaluating_since=row.evaluating,
        backfill=None if row.backfill is None else _read(unpacked(row.backfill)),
        stop_after=tuple(unpacked(row.stop_after)),
        disabled=row.disabled,
        updated=row.updated,
        version=row.version,
    )


def _written(backfill: Backfill) -> dict[str, object]:
    previous = backfill.previous_next
    return {
        "start": backfill.start.isoformat(),
        "end": backfill.end.isoformat(),
        "current": backfill.current.isoformat(),
        "paused": backfill.paused,
        "inputs": backfill.inputs,
        "labels": [[label.key, label.value] for label in backfill.labels],
        "previousNext": None if previous is None else previous.isoformat(),
    }


def _read(written: Mapping[str, Any]) -> Backfill:
    previous = written["previousNext"]
    return Backfill(
        start=datetime.fromisoformat(written["start"]),
        end=datetime.fromisoformat(written["end"]),
        current=datetime.fromisoformat(written["current"]),
        paused=written["paused"],
        inputs=written["inputs"],
        labels=tuple(Label(key, value) for key, value in written["labels"]),
        previous_next=None if previous is None else datetime.fromisoformat(previous),
    )
