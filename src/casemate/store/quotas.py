"""What was created within the quotas of flows, namespaces and tenants (spec/isolation 9.1): one counter for each.

Counted in the transaction that creates the execution. The one writer of the database runs one transaction after the
other, so two that come at once never both get the last place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select

from casemate import durations
from casemate.executions import window_start
from casemate.flows import Quota
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.schema import quotas as table


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaPlace:
    """Whose quota it is: a flow's, without it a namespace's, without that a tenant's."""

    tenant: TenantId
    namespace: Namespace | None = None
    flow: FlowId | None = None

    def __str__(self) -> str:
        if self.flow is not None:
            return f"flow {self.namespace}.{self.flow}"
        return f"namespace {self.namespace}" if self.namespace is not None else f"tenant {self.tenant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How many were created since the stretch began that a quota of this length (`id`) counts."""

    place: QuotaPlace
    id: str
    start: datetime
    count: int


def consume(tx: Tx, quotas: Iterable[tuple[QuotaPlace, Quota]], now: datetime) -> tuple[QuotaPlace, Quota] | None:
    """Count one more execution for each, in their order; the first that allows none, and no later one counts it."""
    for place, quota in quotas:
        start, used = window_start(now, quota.duration), 0
        known = tx.execute(select(table.c.start, table.c.used).where(_is(place, quota.id))).first()
        # Not only the same stretch: what was dated just before its border may be written just after it, and clocks are
        # set back. Either would begin to count anew, and once more afterwards. One that is far ahead was wrong.
        if known is not None and start <= known.start <= start + quota.duration:
            start, used = known.start, known.used
        if used >= quota.limit:
            return place, quota
        _count(tx, place, quota.id, start, used + 1, known=known is not None)
    return None


def counters(tx: Tx, tenant: TenantId) -> tuple[Counter, ...]:
    """All of a tenant, those of its own first, then by namespace, flow and length."""
    rows = tx.execute(
        select(table).where(table.c.tenant == tenant).order_by(table.c.namespace, table.c.flow, table.c.id)
    )
    return tuple(
        Counter(place=_place(tenant, row.namespace, row.flow), id=row.id, start=row.start, count=row.used)
        for row in rows
    )


def reset(tx: Tx, place: QuotaPlace, quota: str) -> bool:
    """Begin to count anew; was there a counter? A length is known by any way of writing it."""
    return tx.execute(table.update().where(_is(place, _named(quota))).values(used=0)).rowcount == 1


def _count(tx: Tx, place: QuotaPlace, quota: str, start: datetime, count: int, *, known: bool) -> None:
    if known:
        tx.execute(table.update().where(_is(place, quota)).values(start=start, used=count))
    else:
        names = {"tenant": place.tenant, "namespace": place.namespace or "", "flow": place.flow or ""}
        tx.execute(table.insert().values(**names, id=quota, start=start, used=count))


def _is(place: QuotaPlace, quota: str) -> ColumnElement[bool]:
    whose = (table.c.namespace == (place.namespace or "")) & (table.c.flow == (place.flow or ""))
    return (table.c.tenant == place.tenant) & whose & (table.c.id == quota)


def _named(quota: str) -> str:
    try:
        return durations.printed(durations.parse(quota))
    except durations.NotADuration:
        return quota


def _place(tenant: TenantId, namespace: str, flow: str) -> QuotaPlace:
    return QuotaPlace(
        tenant=tenant,
        namespace=Namespace(namespace) if namespace else None,
        flow=FlowId(flow) if flow else None,
    )
