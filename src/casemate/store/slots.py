"""Places under a flow's concurrency limit (spec/engine 5.7), counted from the rows of its executions whenever asked.

There is no counter: what is not kept cannot differ from what is so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from casemate.executions import SLOT_KEY, Execution
from casemate.flows import Concurrency, FlowKey
from casemate.identifiers import TenantId
from casemate.store import timers
from casemate.store.database import Tx
from casemate.store.rows import belongs, packed, unpacked
from casemate.store.schema import executions as table
from casemate.store.schema import flows
from casemate.store.timers import Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How many others of a flow run, how many wait longer than the asker, and how many may run at once."""

    running: int
    waiting: int
    concurrency: Concurrency | None


def taken(tx: Tx, execution: Execution) -> Taken:
    """The places of the flow as this execution finds them."""
    flow = (execution.tenant, execution.namespace, execution.flow_id)
    others = belongs(table, *flow) & (table.c.id != execution.id)
    since = execution.queued_since
    longer: ColumnElement[bool] = table.c.queued.is_not(None)
    if since is not None:
        longer &= or_(table.c.queued < since, (table.c.queued == since) & (table.c.id < execution.id))
    return Taken(
        running=_count(tx, others & table.c.slot.is_(True)),
        waiting=_count(tx, others & longer),
        concurrency=_limit(tx, flow),
    )


def wake(tx: Tx, flow: FlowKey, now: datetime) -> tuple[Timer, ...]:
    """Set timers for those that have waited longest, as many as there are free places; nobody is let in here."""
    waiting = (
        select(table.c.id)
        .where(belongs(table, *flow), table.c.queued.is_not(None))
        .order_by(table.c.queued, table.c.id)
    )
    if tx.execute(waiting.limit(1)).first() is None:
        return ()
    limit = _limit(tx, flow)
    if limit is not None:
        waiting = waiting.limit(max(0, limit.limit - _count(tx, belongs(table, *flow) & table.c.slot.is_(True))))
    woken = tuple(Timer(flow[0], execution, SLOT_KEY, now) for execution in tx.scalars(waiting).all())
    for timer in woken:
        timers.put(tx, timer)
    return woken


def limited(tx: Tx, tenant: TenantId) -> tuple[tuple[FlowKey, int], ...]:
    """Every flow that has a limit, by namespace and id, and how many of its executions run."""
    has = (flows.c.tenant == tenant, flows.c.last.is_(True), flows.c.deleted.is_(False))
    rows = tx.execute(
        select(flows.c.namespace, flows.c.id)
        .where(*has, flows.c.concurrency.is_not(None))
        .order_by(flows.c.namespace, flows.c.id)
    )
    keys = [(tenant, row.namespace, row.id) for row in rows.all()]
    return tuple((key, _count(tx, belongs(table, *key) & table.c.slot.is_(True))) for key in keys)


def read_limit(written: str | None) -> Concurrency | None:
    """The limit that a row of flows holds."""
    if written is None:
        return None
    limit, behavior = unpacked(written)
    return Concurrency(limit=limit, behavior=behavior)


def written_limit(concurrency: Concurrency | None) -> str | None:
    """The limit as a row of flows holds it."""
    return None if concurrency is None else packed([concurrency.limit, concurrency.behavior])


def _limit(tx: Tx, flow: FlowKey) -> Concurrency | None:
    tenant, namespace, name = flow
    last = (flows.c.tenant == tenant, flows.c.namespace == namespace, flows.c.id == name, flows.c.last.is_(True))
    return read_limit(tx.scalar(select(flows.c.concurrency).where(*last)))


def _count(tx: Tx, which: ColumnElement[bool]) -> int:
    return tx.scalar(select(func.count()).select_from(table).where(which)) or 0
