"""Timers: when an execution wants to be looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from casemate.identifiers import ExecutionId, TenantId
from casemate.store.database import Tx
from casemate.store.schema import Instant
from casemate.store.schema import timers as table


@dataclass(frozen=True, slots=True)
class Timer:
    """One date of one execution."""

    tenant: TenantId
    execution: ExecutionId
    key: str
    at: datetime


_BY_KEY = (
    (table.c.tenant == bindparam("key_tenant"))
    & (table.c.execution == bindparam("key_execution"))
    & (table.c.key == bindparam("key_key"))
)
_DELETE = table.delete().where(_BY_KEY, table.c.at <= bindparam("key_at", type_=Instant))
_FORGET = table.delete().where(_BY_KEY)
_UPDATE = table.update().where(_BY_KEY)
_INSERT = table.insert()


def put(tx: Tx, timer: Timer) -> None:
    """Add a timer, or move the one of the same key."""
    if tx.execute(_UPDATE, {"at": timer.at, **_key(timer)}).rowcount == 0:
        place = {"tenant": timer.tenant, "execution": timer.execution, "key": timer.key}
        tx.execute(_INSERT, {**place, "at": timer.at})


def remove(tx: Tx, timer: Timer) -> bool:
    """Its date has come; was it still wanted? One that was moved to a later date stays."""
    return tx.execute(_DELETE, {**_key(timer), "key_at": timer.at}).rowcount == 1


def forget(tx: Tx, tenant: TenantId, execution: ExecutionId, key: str) -> None:
    """Nobody wants it any more."""
    tx.execute(_FORGET, {"key_tenant": tenant, "key_execution": execution, "key_key": key})


def all_of_service(tx: Tx) -> tuple[Timer, ...]:
    """Every timer of every tenant; for the service's own start."""
    rows = tx.execute(select(table).order_by(table.c.at))
    return tuple(Timer(row.tenant, row.execution, row.key, row.at) for row in rows)


def due(tx: Tx, now: datetime) -> tuple[Timer, ...]:
    """Timers of every tenant whose date has come."""
    rows = tx.execute(select(table).where(table.c.at <= now).order_by(table.c.at))
    return tuple(Timer(row.tenant, row.execution, row.key, row.at) for row in rows)


def delete(tx: Tx, tenant: TenantId, execution: ExecutionId) -> None:
    """Remove the timers of an execution."""
    tx.execute(table.delete().where(table.c.tenant == tenant, table.c.execution == execution))


def _key(timer: Timer) -> dict[str, object]:
    return {"key_tenant": timer.tenant, "key_execution": timer.execution, "key_key": timer.key}
