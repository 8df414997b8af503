"""Triggers stopped by the end of what they started (`stopAfter`, spec/engine 9.1), until their flow is saved anew.

Only of those that have no record: what goes by dates or asks again and again is stopped in `triggers`.
"""

from __future__ import annotations

from sqlalchemy import select

from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.rows import belongs
from casemate.store.schema import stopped as table


def add(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId, trigger: str) -> None:
    """Stop a trigger; one that is stopped already stays so."""
    tx.execute(table.delete().where(belongs(table, tenant, namespace, flow), table.c.id == trigger))
    tx.execute(table.insert().values(tenant=tenant, namespace=namespace, flow=flow, id=trigger))


def of_flow(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> frozenset[str]:
    """The triggers of a flow that are stopped."""
    return frozenset(tx.scalars(select(table.c.id).where(belongs(table, tenant, namespace, flow))))


def forget(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> None:
    """Let all of them start the flow again."""
    tx.execute(table.delete().where(belongs(table, tenant, namespace, flow)))
