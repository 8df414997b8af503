"""Policies, kept as the texts they were written in, each at its place: the instance, a tenant, or a namespace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Table, Text, select

from casemate.governance import Scope
from casemate.store.database import Tx
from casemate.store.schema import Instant, metadata

table = Table(
    "policies",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("updated", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class PolicyPlace:
    """Where policies stand: with neither the instance, with a tenant that, with both the namespace."""

    tenant: str = ""
    namespace: str = ""

    @property
    def scope(self) -> Scope:
        """The scope of what stands here."""
        if self.namespace:
            return Scope.NAMESPACE
        return Scope.TENANT if self.tenant else Scope.INSTANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPolicy:
    """One policy."""

    place: PolicyPlace
    id: str
    source: str
    updated: datetime


def _at(place: PolicyPlace) -> ColumnElement[bool]:
    return (table.c.tenant == place.tenant) & (table.c.namespace == place.namespace)


def every(tx: Tx) -> tuple[StoredPolicy, ...]:
    """All of them, wherever they stand."""
    rows = tx.execute(select(table).order_by(table.c.tenant, table.c.namespace, table.c.id))
    return tuple(_stored(row) for row in rows)


def at(tx: Tx, place: PolicyPlace) -> tuple[StoredPolicy, ...]:
    """Those that stand at one place, by their ids."""
    return tuple(_stored(row) for row in tx.execute(select(table).where(_at(place)).order_by(table.c.id)))


def get(tx: Tx, place: PolicyPlace, id_: str) -> StoredPolicy | None:
    """One of them."""
    row = tx.execute(select(table).where(_at(place), table.c.id == id_)).first()
    return None if row is None else _stored(row)


def put(tx: Tx, policy: StoredPolicy) -> None:
    """Keep a policy, in place of the one with its id."""
    delete(tx, policy.place, (policy.id,))
    place = {"tenant": policy.place.tenant, "namespace": policy.place.namespace}
    tx.execute(table.insert().values(**place, id=policy.id, source=policy.source, updated=policy.updated))


def delete(tx: Tx, place: PolicyPlace, ids: Iterable[str]) -> int:
    """Remove policies; how many there were."""
    return tx.execute(table.delete().where(_at(place), table.c.id.in_(list(ids)))).rowcount


def _stored(row: Row[Any]) -> StoredPolicy:
    place = PolicyPlace(row.tenant, row.namespace)
    return StoredPolicy(place=place, id=row.id, source=row.source, updated=row.updated)
