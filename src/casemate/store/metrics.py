"""Measurements of task runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, select

from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskId, TaskRunId, TenantId
from casemate.store.database import Tx
from casemate.store.rows import packed, unpacked
from casemate.store.schema import metrics as table


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricEntry:
    """One measurement; a timer's value is in seconds."""

    tenant: TenantId
    namespace: Namespace
    flow_id: FlowId
    execution_id: ExecutionId
    task_id: TaskId
    task_run_id: TaskRunId
    attempt: int
    at: datetime
    name: str
    kind: Literal["counter", "timer"]
    value: float
    tags: Mapping[str, str] = field(default_factory=dict)


def append(tx: Tx, entries: Iterable[MetricEntry]) -> None:
    """Add measurements."""
    rows = [_row(entry) for entry in entries]
    if rows:
        tx.execute(table.insert(), rows)


def of_execution(tx: Tx, tenant: TenantId, execution: ExecutionId) -> tuple[MetricEntry, ...]:
    """The measurements of an execution, in the order in which they were stored."""
    mine = (table.c.tenant == tenant) & (table.c.execution == execution)
    return tuple(_entry(row) for row in tx.execute(select(table).where(mine).order_by(table.c.seq)))


def delete(tx: Tx, tenant: TenantId, execution: ExecutionId) -> int:
    """Remove the measurements of an execution; how many there were."""
    return tx.execute(table.delete().where(table.c.tenant == tenant, table.c.execution == execution)).rowcount


def _row(entry: MetricEntry) -> dict[str, Any]:
    return {
        "tenant": entry.tenant,
        "namespace": entry.namespace,
        "flow": entry.flow_id,
        "execution": entry.execution_id,
        "task": entry.task_id,
        "task_run": entry.task_run_id,
        "attempt": entry.attempt,
        "at": entry.at,
        "name": entry.name,
        "kind": entry.kind,
        "value": entry.value,
        "tags": packed(dict(entry.tags)),
    }


def _entry(row: Row[Any]) -> MetricEntry:
    return MetricEntry(
        tenant=row.tenant,
        namespace=row.namespace,
        flow_id=row.flow,
        execution_id=row.execution,
        task_id=row.task,
        task_run_id=row.task_run,
        attempt=row.attempt,
        at=row.at,
        name=row.name,
        kind=row.kind,
        value=row.value,
        tags=unpacked(row.tags),
    )
