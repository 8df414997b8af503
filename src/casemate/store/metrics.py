"""Measurements of task runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Row, func, select, type_coerce

from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskId, TaskRunId, TenantId
from casemate.store.database import Tx
from casemate.store.rows import belongs, packed, unpacked
from casemate.store.schema import metrics as table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What was measured within a span of time, from its first moment on."""

    begins: datetime
    count: int
    total: float
    least: float
    most: float


def names(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId, task: TaskId | None = None) -> tuple[str, ...]:
    """What a flow, or one task of it, has measured."""
    statement = select(table.c.name).where(_of(tenant, namespace, flow, task)).distinct().order_by(table.c.name)
    return tuple(tx.scalars(statement))


def tasks(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> tuple[str, ...]:
    """Which tasks of a flow have measured something."""
    statement = select(table.c.task).where(_of(tenant, namespace, flow, None)).distinct().order_by(table.c.task)
    return tuple(tx.scalars(statement))


def spans(
    tx: Tx,
    tenant: TenantId,
    flow: tuple[Namespace, FlowId, TaskId | None],
    name: str,
    between: tuple[datetime, datetime],
    length: timedelta,
) -> tuple[Span, ...]:
    """One measurement over time, oldest first; spans without any are left out."""
    moment = type_coerce(table.c.at, BigInteger)
    step = length // timedelta(microseconds=1)
    begins = (moment - moment % step).label("begins")
    value = table.c.value
    columns = (begins, func.count(value), func.sum(value), func.min(value), func.max(value))
    mine = (_of(tenant, *flow), table.c.name == name, table.c.at >= between[0], table.c.at <= between[1])
    rows = tx.execute(select(*columns).where(*mine).group_by(begins).order_by(begins))
    return tuple(
        Span(begins=_EPOCH + timedelta(microseconds=begun), count=count, total=total, least=least, most=most)
        for begun, count, total, least, most in rows
    )


def _of(tenant: TenantId, namespace: Namespace, flow: FlowId, task: TaskId | None) -> ColumnElement[bool]:
    mine = belongs(table, tenant, namespace, flow)
    return mine if task is None else mine & (table.c.task == task)


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
