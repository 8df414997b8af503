"""What people have written down of namespaces. One in which only flows lie has no row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from casemate.identifiers import Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.errors import Conflict
from casemate.store.rows import packed, unpacked
from casemate.store.schema import namespaces as table


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNamespace:
    """One row. `stamp` is another one after every change, also where a namespace is removed and made again.

    `document` holds fields of Kestra's namespace by their names in its API; `secretConfiguration` is an envelope in it.
    """

    tenant: TenantId
    id: Namespace
    stamp: str
    document: Mapping[str, Any]

    @property
    def secret_type(self) -> str | None:
        """The kind of the store that it brings for its secrets, None if it brings none."""
        kind: str | None = self.document.get("secretType")
        return kind

    @property
    def read_only(self) -> bool:
        """Does it say that its secrets are only read?"""
        return self.document.get("secretReadOnly") is True

    @property
    def denied(self) -> frozenset[str]:
        """The services that are given none of its secrets."""
        isolation = self.document.get("secretIsolation") or {}
        return frozenset(isolation.get("deniedServices") or ()) if isolation.get("enabled") else frozenset()

    @property
    def blocks(self) -> bool:
        """Are secrets of the namespaces above hidden from it, and from those below it?"""
        return self.document.get("blockSecretInheritance") is True

    def admits(self, caller: Namespace) -> bool:
        """May flows of another namespace read what is of this one: all may, or those listed and those below them?"""
        allowed = self.document.get("allowedNamespaces") or ()
        own = caller == self.id
        return own or not allowed or any(caller == one or caller.startswith(f"{one}.") for one in allowed)


def get(tx: Tx, tenant: TenantId, namespace: Namespace) -> StoredNamespace | None:
    """What is written down of one."""
    row = tx.execute(select(table).where(_is(tenant, namespace))).first()
    return None if row is None else _read(row)


def some(tx: Tx, tenant: TenantId, names: Iterable[Namespace]) -> dict[Namespace, StoredNamespace]:
    """Those of the named ones that there are."""
    rows = tx.execute(select(table).where((table.c.tenant == tenant) & table.c.id.in_(tuple(names))))
    return {Namespace(row.id): _read(row) for row in rows}


def all_of(tx: Tx, tenant: TenantId) -> dict[Namespace, StoredNamespace]:
    """All of a tenant, by their names."""
    rows = tx.execute(select(table).where(table.c.tenant == tenant).order_by(table.c.id))
    return {Namespace(row.id): _read(row) for row in rows}


def names(tx: Tx, tenant: TenantId) -> tuple[Namespace, ...]:
    """The names of all of a tenant."""
    found = tx.scalars(select(table.c.id).where(table.c.tenant == tenant).order_by(table.c.id))
    return tuple(map(Namespace, found))


def add(tx: Tx, record: StoredNamespace) -> bool:
    """Write down a new one; False, and nothing changes, if it is there already."""
    if get(tx, record.tenant, record.id) is not None:
        return False
    values = {"stamp": record.stamp, "document": packed(dict(record.document))}
    tx.execute(table.insert().values(tenant=record.tenant, id=record.id, **values))
    return True


def replace(tx: Tx, record: StoredNamespace, before: str) -> None:
    """Put a record in the place of the one with the stamp `before`. Raises `Conflict` if that is not there any more."""
    place = _is(record.tenant, record.id) & (table.c.stamp == before)
    values = {"stamp": record.stamp, "document": packed(dict(record.document))}
    if tx.execute(table.update().where(place).values(**values)).rowcount == 0:
        raise Conflict(f"The namespace {record.id} was changed meanwhile")


def delete(tx: Tx, tenant: TenantId, namespace: Namespace) -> bool:
    """Remove what is written down of one; was there anything?"""
    return tx.execute(table.delete().where(_is(tenant, namespace))).rowcount == 1


def _is(tenant: TenantId, namespace: Namespace) -> ColumnElement[bool]:
    return (table.c.tenant == tenant) & (table.c.id == namespace)


def _read(row: Row[Any]) -> StoredNamespace:
    document = unpacked(row.document)
    return StoredNamespace(tenant=TenantId(row.tenant), id=Namespace(row.id), stamp=row.stamp, document=document)
