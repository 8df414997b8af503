"""Windows: what was met so far of the conditions that a Flow trigger counts together (spec/engine 9.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.rows import belongs, packed, unpacked
from casemate.store.schema import windows as table
from casemate.triggers import Bounds, Window


def of_flow(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> dict[str, Window]:
    """Those of a flow by id, also ones that are over."""
    rows = tx.execute(select(table).where(belongs(table, tenant, namespace, flow)))
    return {
        row.id: Window(Bounds(row.opens, row.closes), frozenset(unpacked(row.met)), unpacked(row.outputs))
        for row in rows
    }


def save(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId, changed: Mapping[str, Window | None]) -> None:
    """Write these of a flow, in place of those with the same ids; None takes one away."""
    for name, window in changed.items():
        tx.execute(table.delete().where(belongs(table, tenant, namespace, flow), table.c.id == name))
        if window is not None:
            place = {"tenant": tenant, "namespace": namespace, "flow": flow, "id": name}
            tx.execute(table.insert().values(**place, **_row(window)))


def purge(tx: Tx, tenant: TenantId, now: datetime) -> None:
    """Take away what is over."""
    tx.execute(table.delete().where(table.c.tenant == tenant, table.c.closes < now))


def delete(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> None:
    """Take away all of a flow."""
    tx.execute(table.delete().where(belongs(table, tenant, namespace, flow)))


def _row(window: Window) -> dict[str, object]:
    bounds = {"opens": window.bounds.start, "closes": window.bounds.end}
    return {**bounds, "met": packed(sorted(window.met)), "outputs": packed(dict(window.outputs))}
