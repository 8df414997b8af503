"""Flows, kept as the text they were written in: a row for each revision, none ever changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, bindparam, false, or_, select

from casemate.flows import FLOW_TRIGGER, Concurrency, Flow, Label
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store import slots, stopped, triggers, windows
from casemate.store.database import Tx
from casemate.store.fields import Field, anywhere, labelled, marked, scoped, unmarked
from casemate.store.schema import flows as table
from casemate.store.search import Criterion, Page, condition, found


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFlow:
    """One revision of a flow. A deleted flow is one whose last revision says so."""

    tenant: TenantId
    namespace: Namespace
    id: FlowId
    revision: int
    source: str
    updated: datetime
    deleted: bool = False
    disabled: bool = False
    description: str | None = None
    labels: tuple[Label, ...] = ()
    concurrency: Concurrency | None = None
    listens: bool = False
    """Does it have a Flow trigger?"""


_FIELDS: dict[str, Field] = {
    "q": anywhere(table.c.namespace, table.c.id, table.c.description),
    "namespace": table.c.namespace,
    "flowId": table.c.id,
    "id": table.c.id,
    "revision": table.c.revision,
    "labels": labelled(table.c.labels),
    "scope": scoped(table.c.namespace),
    "source": table.c.source,
    "updated": table.c.updated,
}

Revision: TypeAlias = tuple[Namespace, FlowId, int]
"""A flow of a tenant, and which revision of it."""

_LISTENING = (
    select(table.c.namespace, table.c.id, table.c.revision)
    .where(table.c.tenant == bindparam("key_tenant"), table.c.listens.is_(True))
    .order_by(table.c.namespace, table.c.id)
)

_LAST = table.c.last.is_(True) & table.c.deleted.is_(False)


def _is(tenant: TenantId, namespace: Namespace, flow: FlowId) -> ColumnElement[bool]:
    return (table.c.tenant == tenant) & (table.c.namespace == namespace) & (table.c.id == flow)


def save(tx: Tx, flow: Flow, now: datetime) -> StoredFlow:
    """Add a revision; the same text as the last revision adds none."""
    last = _last(tx, flow.tenant, flow.namespace, flow.id)
    if last is not None and not last.deleted and last.source == flow.source:
        return last
    triggers.keep(tx, flow, now)
    stopped.forget(tx, flow.tenant, flow.namespace, flow.id)
    return _add(
        tx,
        StoredFlow(
            tenant=flow.tenant,
            namespace=flow.namespace,
            id=flow.id,
            revision=last.revision + 1 if last else 1,
            source=flow.source,
            updated=now,
            disabled=flow.disabled,
            description=flow.description,
            labels=flow.labels,
            concurrency=flow.concurrency,
            listens=any(trigger.canonical == FLOW_TRIGGER for trigger in flow.triggers),
        ),
    )


def delete(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId, now: datetime) -> StoredFlow | None:
    """Add a revision that says deleted; None if there is no such flow. Older revisions stay readable."""
    last = latest(tx, tenant, namespace, flow)
    if last is None:
        return None
    triggers.drop(tx, tenant, namespace, flow)
    windows.delete(tx, tenant, namespace, flow)
    stopped.forget(tx, tenant, namespace, flow)
    return _add(tx, replace(last, revision=last.revision + 1, updated=now, deleted=True, listens=False))


def _add(tx: Tx, flow: StoredFlow) -> StoredFlow:
    tx.execute(table.update().where(_is(flow.tenant, flow.namespace, flow.id)).values(last=False, listens=None))
    tx.execute(
        table.insert().values(
            tenant=flow.tenant,
            namespace=flow.namespace,
            id=flow.id,
            revision=flow.revision,
            last=True,
            deleted=flow.deleted,
            disabled=flow.disabled,
            description=flow.description,
            labels=marked(flow.labels),
            source=flow.source,
            updated=flow.updated,
            concurrency=slots.written_limit(flow.concurrency),
            listens=(flow.listens and not flow.disabled) or None,
        )
    )
    # A higher limit, or none, may let in some of those that wait.
    slots.wake(tx, (flow.tenant, flow.namespace, flow.id), flow.updated)
    return flow


def _last(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> StoredFlow | None:
    row = tx.execute(select(table).where(_is(tenant, namespace, flow), table.c.last.is_(True))).first()
    return None if row is None else _stored(row)


def latest(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> StoredFlow | None:
    """The last revision, unless the flow is deleted."""
    last = _last(tx, tenant, namespace, flow)
    return None if last is None or last.deleted else last


def revision(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId, number: int) -> StoredFlow | None:
    """One revision, also of a deleted flow: its executions may still run."""
    row = tx.execute(select(table).where(_is(tenant, namespace, flow), table.c.revision == number)).first()
    return None if row is None else _stored(row)


def revisions(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId) -> tuple[StoredFlow, ...]:
    """All revisions, oldest first."""
    rows = tx.execute(select(table).where(_is(tenant, namespace, flow)).order_by(table.c.revision))
    return tuple(_stored(row) for row in rows)


def search(
    tx: Tx, tenant: TenantId, filters: Sequence[Criterion] = (), page: Page | None = None
) -> tuple[tuple[StoredFlow, ...], int]:
    """Flows that are not deleted, by namespace and id unless the page says otherwise; and how many there are."""
    statement = select(table).where(table.c.tenant == tenant, _LAST, condition(_FIELDS, filters))
    rows, total = found(tx, statement, _FIELDS, page or Page(), (table.c.namespace, table.c.id))
    return tuple(_stored(row) for row in rows), total


def names(tx: Tx, tenant: TenantId) -> tuple[tuple[Namespace, FlowId], ...]:
    """Every flow, by namespace and id."""
    rows = tx.execute(select(table.c.namespace, table.c.id).where(table.c.tenant == tenant, _LAST))
    return tuple(sorted((row.namespace, row.id) for row in rows))


def mentioning(tx: Tx, tenant: TenantId, words: Sequence[str]) -> tuple[StoredFlow, ...]:
    """The flows in whose source one of the words stands."""
    mentions = or_(false(), *(table.c.source.contains(word, autoescape=True) for word in words))
    rows = tx.execute(select(table).where(table.c.tenant == tenant, _LAST, mentions))
    return tuple(_stored(row) for row in rows)


def delete_revisions(tx: Tx, tenant: TenantId, namespace: Namespace, flow: FlowId, numbers: Sequence[int]) -> int:
    """Remove revisions for good, but never the last one: the numbers go on from it. How many there were."""
    old = table.c.revision.in_(numbers) & table.c.last.is_(False)
    return tx.execute(table.delete().where(_is(tenant, namespace, flow), old)).rowcount


def namespaces(tx: Tx, tenant: TenantId) -> tuple[Namespace, ...]:
    """The namespaces that have flows, sorted."""
    rows = tx.scalars(select(table.c.namespace).where(table.c.tenant == tenant, _LAST).distinct())
    return tuple(sorted(rows))


def listening(tx: Tx, tenant: TenantId) -> tuple[Revision, ...]:
    """The flows that have a Flow trigger and are not disabled, by namespace and id, each with its last revision."""
    return tuple((row.namespace, row.id, row.revision) for row in tx.execute(_LISTENING, {"key_tenant": tenant}))


def _stored(row: Row[Any]) -> StoredFlow:
    return StoredFlow(
        tenant=row.tenant,
        namespace=row.namespace,
        id=row.id,
        revision=row.revision,
        source=row.source,
        updated=row.updated,
        deleted=row.deleted,
        disabled=row.disabled,
        description=row.description,
        labels=unmarked(row.labels),
        concurrency=slots.read_limit(row.concurrency),
        listens=row.listens is True,
    )


def exist_in(tx: Tx, tenant: TenantId, namespace: Namespace) -> bool:
    """Does the namespace have a flow?"""
    mine = (table.c.tenant == tenant) & (table.c.namespace == namespace)
    return tx.execute(select(table.c.id).where(mine, _LAST).limit(1)).first() is not None
