"""Secrets of the store that is this database: sealed before they come here (spec/security 2.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Row, bindparam, select, tuple_

from casemate.identifiers import Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.rows import packed, unpacked
from casemate.store.schema import secrets as table

Key: TypeAlias = tuple[str, str, str]
"""The primary key of a row."""

_ROWS: Final = 250
"""In one transaction of those that go through all rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """One row: where the secret is, the id of its key, its sealed text, and what people wrote beside it."""

    tenant: TenantId
    namespace: Namespace
    name: str
    kid: str
    sealed: str
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def get(tx: Tx, tenant: TenantId, namespace: Namespace, name: str) -> SealedSecret | None:
    """The secret at exactly this place."""
    row = tx.execute(select(table).where(_is(tenant, namespace, name))).first()
    return None if row is None else _read(row)


def all_of(tx: Tx, tenant: TenantId, namespace: Namespace | None) -> tuple[SealedSecret, ...]:
    """Those of a namespace, or of all of the tenant, by namespace and name."""
    chosen = table.c.tenant == tenant
    if namespace is not None:
        chosen &= table.c.namespace == namespace
    rows = tx.execute(select(table).where(chosen).order_by(table.c.namespace, table.c.name))
    return tuple(map(_read, rows))


def put(tx: Tx, secret: SealedSecret) -> None:
    """Make or replace one."""
    place = _is(secret.tenant, secret.namespace, secret.name)
    values = {
        "kid": secret.kid,
        "sealed": secret.sealed,
        "description": secret.description,
        "tags": packed(dict(secret.tags)),
    }
    if tx.execute(table.update().where(place).values(**values)).rowcount == 0:
        tx.execute(table.insert().values(tenant=secret.tenant, namespace=secret.namespace, name=secret.name, **values))


def rewrite(tx: Tx, after: Key | None, change: Callable[[SealedSecret], SealedSecret]) -> Key | None:
    """Let `change` see the next rows behind a key, of all tenants, and keep the seals of what it makes of them.

    Returns the key of the last of these rows, None behind the last one of all.
    """
    keys = (table.c.tenant, table.c.namespace, table.c.name)
    query = select(table).order_by(*keys).limit(_ROWS)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*(bindparam(None, each) for each in after)))
    found = [_read(row) for row in tx.execute(query)]
    for old in found:
        new = change(old)
        if new != old:
            place = _is(old.tenant, old.namespace, old.name)
            tx.execute(table.update().where(place).values(kid=new.kid, sealed=new.sealed))
    last = found[-1] if len(found) == _ROWS else None
    return None if last is None else (last.tenant, last.namespace, last.name)


def delete(tx: Tx, tenant: TenantId, namespace: Namespace, name: str) -> bool:
    """Remove one; was it there?"""
    return tx.execute(table.delete().where(_is(tenant, namespace, name))).rowcount == 1


def _is(tenant: TenantId, namespace: Namespace, name: str) -> ColumnElement[bool]:
    return (table.c.tenant == tenant) & (table.c.namespace == namespace) & (table.c.name == name)


def _read(row: Row[Any]) -> SealedSecret:
    return SealedSecret(
        tenant=row.tenant,
        namespace=row.namespace,
        name=row.name,
        kid=row.kid,
        sealed=row.sealed,
        description=row.description,
        tags=unpacked(row.tags),
    )
