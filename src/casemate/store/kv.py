"""Keys and values of a namespace, as JSON values (spec/engine 12.2). An expired key is there no more for readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, Row, func, or_, select

from casemate.identifiers import Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.fields import Field, Named, anywhere
from casemate.store.rows import packed, unpacked
from casemate.store.schema import kv as table
from casemate.store.search import Criterion, Page, condition, found

KvType: TypeAlias = Literal["STRING", "NUMBER", "BOOLEAN", "DATETIME", "DATE", "DURATION", "JSON"]
KV_TYPES: tuple[KvType, ...] = get_args(KvType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key with its value: dates as ISO texts, a duration as its seconds. `revision` counts how often it was set.

    `namespace`, `created` and `revision` are the store's to say; what `put` is given of them counts for nothing.
    """

    key: str
    value: object
    updated: datetime
    type: KvType = "STRING"
    expires: datetime | None = None
    description: str | None = None
    namespace: Namespace | None = None
    created: datetime | None = None
    revision: int = 1

    def expired(self, now: datetime) -> bool:
        """Is its time over?"""
        return self.expires is not None and self.expires <= now


_FIELDS: dict[str, Field] = {
    "q": anywhere(table.c.key, table.c.namespace),
    "key": table.c.key,
    "namespace": table.c.namespace,
    "description": table.c.description,
    "type": Named(table.c.type, KV_TYPES),
    "created": table.c.created,
    "creationDate": table.c.created,
    "updateDate": table.c.updated,
    "updated": table.c.updated,
    "expirationDate": table.c.expires,
    "revision": table.c.revision,
}


def _is(tenant: TenantId, namespace: Namespace, key: str) -> ColumnElement[bool]:
    return (table.c.tenant == tenant) & (table.c.namespace == namespace) & (table.c.key == key)


def get(tx: Tx, tenant: TenantId, namespace: Namespace, key: str, now: datetime) -> Entry | None:
    """The entry, unless there is none or its time is over."""
    entry = get_any(tx, tenant, namespace, key)
    return None if entry is None or entry.expired(now) else entry


def get_any(tx: Tx, tenant: TenantId, namespace: Namespace, key: str) -> Entry | None:
    """The entry, also one whose time is over."""
    row = tx.execute(select(table).where(_is(tenant, namespace, key))).first()
    return None if row is None else _entry(row)


def put(tx: Tx, tenant: TenantId, namespace: Namespace, entry: Entry) -> None:
    """Set a key. One whose time was over begins anew."""
    before = get(tx, tenant, namespace, entry.key, entry.updated)
    values = {
        "value": packed(entry.value),
        "type": entry.type,
        "description": entry.description,
        "updated": entry.updated,
        "expires": entry.expires,
        "created": entry.updated if before is None else before.created,
        "revision": 1 if before is None else before.revision + 1,
    }
    if tx.execute(table.update().where(_is(tenant, namespace, entry.key)).values(**values)).rowcount == 0:
        tx.execute(table.insert().values(tenant=tenant, namespace=namespace, key=entry.key, **values))


def delete(tx: Tx, tenant: TenantId, namespace: Namespace, key: str) -> bool:
    """Remove a key; was it there?"""
    return tx.execute(table.delete().where(_is(tenant, namespace, key))).rowcount == 1


def all_of(
    tx: Tx, tenant: TenantId, namespaces: Namespace | Iterable[Namespace], now: datetime, prefix: str = ""
) -> tuple[Entry, ...]:
    """The entries of one namespace or several whose key begins like this, by namespace and key."""
    places = [namespaces] if isinstance(namespaces, str) else list(namespaces)
    mine = (table.c.tenant == tenant) & table.c.namespace.in_(places)
    # Not LIKE, for which SQLite takes `A` and `a` for the same.
    begins = func.substr(table.c.key, 1, len(prefix)) == prefix
    rows = tx.execute(select(table).where(mine, begins, _alive(now)).order_by(table.c.namespace, table.c.key))
    return tuple(_entry(row) for row in rows)


def search(
    tx: Tx, tenant: TenantId, now: datetime, filters: Sequence[Criterion] = (), page: Page | None = None
) -> tuple[tuple[Entry, ...], int]:
    """Entries of all namespaces, by namespace and key unless the page says otherwise; and how many there are."""
    statement = select(table).where(table.c.tenant == tenant, _alive(now), condition(_FIELDS, filters))
    rows, total = found(tx, statement, _FIELDS, page or Page(), (table.c.namespace, table.c.key))
    return tuple(_entry(row) for row in rows), total


def _alive(now: datetime) -> ColumnElement[bool]:
    return or_(table.c.expires.is_(None), table.c.expires > now)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        key=row.key,
        value=unpacked(row.value),
        type=row.type,
        updated=row.updated,
        expires=row.expires,
        description=row.description,
        namespace=row.namespace,
        created=row.created,
        revision=row.revision,
    )
