"""Log entries of task runs, in the order in which they became durable (spec/engine 14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskId, TaskRunId, TenantId
from casemate.jobs import Level
from casemate.store.database import Tx
from casemate.store.fields import Field, anywhere, listed, refused, scoped
from casemate.store.schema import logs as table
from casemate.store.search import Criterion, Page, condition, found

LEVELS: tuple[Level, ...] = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One entry. `seq` is 0 until it is stored."""

    tenant: TenantId
    namespace: Namespace
    flow_id: FlowId
    at: datetime
    level: Level
    message: str
    execution_id: ExecutionId | None = None
    task_id: TaskId | None = None
    task_run_id: TaskRunId | None = None
    attempt: int | None = None
    trigger_id: str | None = None
    thread: str = "main"
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries of an execution; None means any."""

    level: Level = "TRACE"
    """The lowest."""
    task_id: TaskId | None = None
    task_run_id: TaskRunId | None = None
    attempt: int | None = None
    after: int = 0
    """Only entries with a greater `seq`."""
    limit: int | None = None


def _level(op: str, value: object) -> ColumnElement[bool]:
    """The field `level`: at least that level, unless the operation says otherwise."""
    ranks = [_rank(str(each)) for each in listed(value)]
    meant: Mapping[str, ColumnElement[bool]] = {
        "EQUALS": table.c.level >= ranks[0],
        "GREATER_THAN_OR_EQUAL_TO": table.c.level >= ranks[0],
        "GREATER_THAN": table.c.level > ranks[0],
        "NOT_EQUALS": table.c.level < ranks[0],
        "LESS_THAN": table.c.level < ranks[0],
        "LESS_THAN_OR_EQUAL_TO": table.c.level <= ranks[0],
        "IN": table.c.level.in_(ranks),
        "NOT_IN": table.c.level.not_in(ranks),
    }
    if op not in meant:
        raise refused(f"Operation {op} is not supported for field level", f"one of {', '.join(meant)}")
    return meant[op]


def _rank(level: str) -> int:
    for rank, known in enumerate(LEVELS):
        if known == level.upper():
            return rank
    raise refused(f"There is no log level {level}", f"one of {', '.join(LEVELS)}")


_FIELDS: dict[str, Field] = {
    "q": anywhere(table.c.message, table.c.namespace, table.c.flow, table.c.task, table.c.execution),
    "message": table.c.message,
    "namespace": table.c.namespace,
    "flowId": table.c.flow,
    "executionId": table.c.execution,
    "taskId": table.c.task,
    "taskRunId": table.c.task_run,
    "attemptNumber": table.c.attempt,
    "triggerId": table.c.trigger,
    "scope": scoped(table.c.namespace),
    "level": _level,
    "minLevel": _level,
    "timestamp": table.c.at,
    "startDate": table.c.at,
    "endDate": table.c.at,
}

_INSERT = table.insert()


def append(tx: Tx, entries: Iterable[LogEntry]) -> None:
    """Add entries, in order."""
    rows = [_row(entry) for entry in entries]
    if rows:
        tx.execute(_INSERT, rows)


def of_execution(
    tx: Tx, tenant: TenantId, execution: ExecutionId, wanted: Wanted | None = None
) -> tuple[LogEntry, ...]:
    """The entries of an execution, in the order in which they were stored."""
    wanted = wanted or Wanted()
    statement = select(table).where(_place(tenant, execution), *_only(wanted)).order_by(table.c.seq)
    return tuple(_entry(row) for row in tx.execute(statement.limit(wanted.limit)))


def _place(tenant: TenantId, execution: ExecutionId) -> ColumnElement[bool]:
    return (table.c.tenant == tenant) & (table.c.execution == execution)


def _only(wanted: Wanted) -> list[ColumnElement[bool]]:
    exact: Mapping[Any, object] = {
        table.c.task: wanted.task_id,
        table.c.task_run: wanted.task_run_id,
        table.c.attempt: wanted.attempt,
    }
    conditions = [column == value for column, value in exact.items() if value is not None]
    return [*conditions, table.c.level >= _rank(wanted.level), table.c.seq > wanted.after]


def search(
    tx: Tx, tenant: TenantId, filters: Sequence[Criterion] = (), page: Page | None = None
) -> tuple[tuple[LogEntry, ...], int]:
    """Entries, newest first unless the page says otherwise; and how many there are."""
    statement = select(table).where(table.c.tenant == tenant, condition(_FIELDS, filters))
    rows, total = found(tx, statement, _FIELDS, page or Page(), (table.c.at.desc(), table.c.seq.desc()))
    return tuple(_entry(row) for row in rows), total


def delete(tx: Tx, tenant: TenantId, execution: ExecutionId, wanted: Wanted | None = None) -> int:
    """Remove entries of an execution; how many there were."""
    only = () if wanted is None else _only(wanted)
    return tx.execute(table.delete().where(_place(tenant, execution), *only)).rowcount


def purge(tx: Tx, tenant: TenantId, filters: Sequence[Criterion]) -> int:
    """Remove every entry that the filters find; how many there were."""
    return tx.execute(table.delete().where(table.c.tenant == tenant, condition(_FIELDS, filters))).rowcount


def _row(entry: LogEntry) -> dict[str, Any]:
    return {
        "tenant": entry.tenant,
        "namespace": entry.namespace,
        "flow": entry.flow_id,
        "execution": entry.execution_id,
        "task": entry.task_id,
        "task_run": entry.task_run_id,
        "attempt": entry.attempt,
        "trigger": entry.trigger_id,
        "at": entry.at,
        "level": LEVELS.index(entry.level),
        "thread": entry.thread,
        # Half a surrogate pair cannot be stored, and a program may well print one.
        "message": entry.message.encode(errors="replace").decode(),
    }


def _entry(row: Row[Any]) -> LogEntry:
    return LogEntry(
        tenant=row.tenant,
        namespace=row.namespace,
        flow_id=row.flow,
        execution_id=row.execution,
        task_id=row.task,
        task_run_id=row.task_run,
        attempt=row.attempt,
        trigger_id=row.trigger,
        at=row.at,
        level=LEVELS[row.level],
        thread=row.thread,
        message=row.message,
        seq=row.seq,
    )
