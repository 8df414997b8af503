"""Secrets of the store that is this database: sealed before they come here (spec/security 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from casemate.identifiers import Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.rows import packed, unpacked
from casemate.store.schema import secrets as table


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
