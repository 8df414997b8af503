"""Keys and values of a namespace, as JSON values (spec/engine 12.2). An expired key is there no more for readers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from casemate.identifiers import Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.rows import packed, unpacked
from casemate.store.schema import kv as table


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key with its value."""

    key: str
    value: object
    updated: datetime
    expires: datetime | None = None


def _is(tenant: TenantId, namespace: Namespace, key: str) -> ColumnElement[bool]:
    return (table.c.tenant == tenant) & (table.c.namespace == namespace) & (table.c.key == key)


def get(tx: Tx, tenant: TenantId, namespace: Namespace, key: str, now: datetime) -> Entry | None:
    """The entry, unless there is none or its time is over."""
    row = tx.execute(select(table).where(_is(tenant, namespace, key))).first()
    if row is None or (row.expires is not None and row.expires <= now):
        return None
    return Entry(key=row.key, value=unpacked(row.value), updated=row.updated, expires=row.expires)


def put(tx: Tx, tenant: TenantId, namespace: Namespace, entry: Entry) -> None:
    """Set a key."""
    values = {"value": packed(entry.value), "updated": entry.updated, "expires": entry.expires}
    if tx.execute(table.update().where(_is(tenant, namespace, entry.key)).values(**values)).rowcount == 0:
        tx.execute(table.insert().values(tenant=tenant, namespace=namespace, key=entry.key, **values))


def delete(tx: Tx, tenant: TenantId, namespace: Namespace, key: str) -> bool:
    """Remove a key; was it there?"""
    return tx.execute(table.delete().where(_is(tenant, namespace, key))).rowcount == 1


def all_of(tx: Tx, tenant: TenantId, namespace: Namespace, now: datetime) -> tuple[Entry, ...]:
    """The entries of a namespace, by key."""
    alive = or_(table.c.expires.is_(None), table.c.expires > now)
    mine = (table.c.tenant == tenant) & (table.c.namespace == namespace)
    rows = tx.execute(select(table).where(mine, alive).order_by(table.c.key))
    return tuple(
        Entry(key=row.key, value=unpacked(row.value), updated=row.updated, expires=row.expires) for row in rows
    )
