"""Templates, kept as the text they were written in: a row for each revision, none ever changed.

Executions go on with the revision that was the last one when they were created, so that older ones stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from casemate.flows import Template, TemplateName
from casemate.identifiers import Namespace, TemplateId, TenantId
from casemate.store.database import Tx
from casemate.store.fields import Field, anywhere
from casemate.store.schema import templates as table
from casemate.store.search import Criterion, Page, condition, found


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTemplate:
    """One revision of a template. A deleted template is one whose last revision says so."""

    tenant: TenantId
    namespace: Namespace
    id: TemplateId
    revision: int
    source: str
    saved: datetime
    deleted: bool = False
    description: str | None = None


_FIELDS: dict[str, Field] = {
    "q": anywhere(table.c.namespace, table.c.id, table.c.description),
    "namespace": table.c.namespace,
    "id": table.c.id,
    "updated": table.c.saved,
}


def _is(tenant: TenantId, namespace: Namespace, template: TemplateId) -> ColumnElement[bool]:
    return (table.c.tenant == tenant) & (table.c.namespace == namespace) & (table.c.id == template)


def save(tx: Tx, template: Template, now: datetime) -> StoredTemplate:
    """Add a revision."""
    return _add(
        tx,
        StoredTemplate(
            tenant=template.tenant,
            namespace=template.namespace,
            id=template.id,
            revision=_next(tx, template.tenant, *template.name),
            source=template.source,
            saved=now,
            description=template.description,
        ),
    )


def delete(tx: Tx, tenant: TenantId, namespace: Namespace, template: TemplateId, now: datetime) -> bool:
    """Add a revision that says deleted; was there a template?"""
    last = latest(tx, tenant, namespace, template)
    if last is None:
        return False
    _add(tx, replace(last, revision=last.revision + 1, saved=now, deleted=True))
    return True


def latest(tx: Tx, tenant: TenantId, namespace: Namespace, template: TemplateId) -> StoredTemplate | None:
    """The last revision, unless the template is deleted."""
    return _last(tx, _is(tenant, namespace, template))


def as_of(tx: Tx, tenant: TenantId, names: Iterable[TemplateName], date: datetime | None) -> tuple[StoredTemplate, ...]:
    """Those of the templates that there were at that date, or are now, each as it was then."""
    then = True if date is None else table.c.saved <= date
    every = (_last(tx, _is(tenant, *name) & then) for name in sorted(names))
    return tuple(each for each in every if each is not None)


def search(
    tx: Tx, tenant: TenantId, filters: Sequence[Criterion] = (), page: Page | None = None
) -> tuple[tuple[StoredTemplate, ...], int]:
    """Templates by namespace and id unless the page says otherwise, and how many there are."""
    present = (table.c.tenant == tenant) & table.c.last.is_(True) & table.c.deleted.is_(False)
    statement = select(table).where(present, condition(_FIELDS, filters))
    rows, total = found(tx, statement, _FIELDS, page or Page(), (table.c.namespace, table.c.id))
    return tuple(_stored(row) for row in rows), total


def _last(tx: Tx, wanted: ColumnElement[bool]) -> StoredTemplate | None:
    row = tx.execute(select(table).where(wanted).order_by(table.c.revision.desc()).limit(1)).first()
    return None if row is None or row.deleted else _stored(row)


def _next(tx: Tx, tenant: TenantId, namespace: Namespace, template: TemplateId) -> int:
    revisions = select(table.c.revision).where(_is(tenant, namespace, template)).order_by(table.c.revision.desc())
    return (tx.scalar(revisions.limit(1)) or 0) + 1


def _add(tx: Tx, template: StoredTemplate) -> StoredTemplate:
    mine = _is(template.tenant, template.namespace, template.id)
    tx.execute(table.update().where(mine).values(last=False))
    names = ("tenant", "namespace", "id", "revision", "source", "saved", "deleted", "description")
    tx.execute(table.insert().values(last=True, **{name: getattr(template, name) for name in names}))
    return template


def _stored(row: Row[Any]) -> StoredTemplate:
    return StoredTemplate(
        tenant=TenantId(row.tenant),
        namespace=Namespace(row.namespace),
        id=TemplateId(row.id),
        revision=row.revision,
        source=row.source,
        saved=row.saved,
        deleted=row.deleted,
        description=row.description,
    )
