"""Flows as they are run: read from their texts once, completed with plugin defaults and templates, kept while used."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from casemate.catalog import Catalog
from casemate.errors import Refused
from casemate.executions import Execution
from casemate.flows import Flow, Template, TemplateName, clashes, names_of, read_flow, read_template, with_templates
from casemate.governance import Rulebook
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.orchestrator.errors import NotFound
from casemate.store import Database, StoredFlow, StoredTemplate, flows, templates

T = TypeVar("T")

_Name: TypeAlias = tuple[TenantId, Namespace, FlowId, int]


class Shelf:
    """The flows that were used last; a revision never changes, so nothing here gets old before plugins change.

    `templates` says whether flows may take in templates (spec/engine 4.7). An execution goes on with those that there
    were when it was created, whatever is saved meanwhile.
    """

    def __init__(self, db: Database, catalog: Catalog, size: int, *, templates: bool = False) -> None:
        self._db = db
        self._catalog = catalog
        self._size = size
        self._templates = templates
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._edition = catalog.edition

    def clear(self) -> None:
        """Read every flow anew: other rules hold for them now."""
        self._kept.clear()

    async def latest(self, tenant: TenantId, namespace: Namespace, flow: FlowId) -> Flow:
        """The last revision. Raises `NotFound`, and `Refused` if its text is no longer valid."""

        async def read() -> Flow:
            stored = await self._db.read(flows.latest, tenant, namespace, flow)
            if stored is None:
                raise NotFound("Flow not found")
            return self._flow(stored)

        return await self._filled(read, None)

    async def revision(self, tenant: TenantId, namespace: Namespace, flow: FlowId, number: int) -> Flow:
        """One revision, also of a deleted flow. Raises as `latest` does."""
        name = (tenant, namespace, flow, number)
        return await self._filled(lambda: self._revision(name), None)

    async def of(self, execution: Execution) -> Flow:
        """The flow that an execution runs."""
        name = (execution.tenant, execution.namespace, execution.flow_id, execution.flow_revision)
        return await self._filled(lambda: self._revision(name), execution.history.start)

    async def _revision(self, name: _Name) -> Flow:
        flow: Flow | None = self._look(name)
        if flow is not None:
            return flow
        stored = await self._db.read(flows.revision, *name)
        if stored is None:
            raise NotFound("Flow not found")
        return self._flow(stored)

    def _flow(self, stored: StoredFlow) -> Flow:
        name = (stored.tenant, stored.namespace, stored.id, stored.revision)
        return self._once(name, lambda: self._read(stored))

    async def _filled(self, read: Callable[[], Awaitable[Flow]], date: datetime | None) -> Flow:
        """The flow with its templates as they were then, or are now."""
        flow = await read()
        while self._templates and (names := self._names(flow)):
            terms = self._terms()
            stored = await self._db.read(templates.as_of, flow.tenant, names, date)
            if self._terms() == terms:
                return self._with(flow, stored)
            # Other rules hold since: kept, the flow would go on under the old ones until the next change of them.
            flow = await read()
        return flow

    def _with(self, flow: Flow, stored: Sequence[StoredTemplate]) -> Flow:
        revisions = tuple((each.namespace, each.id, each.revision) for each in stored)
        return self._once((*_place(flow), revisions), lambda: self._joined(flow, stored))

    def _names(self, flow: Flow) -> frozenset[TemplateName]:
        return self._once(("names", *_place(flow)), lambda: names_of(flow))

    def _terms(self) -> tuple[Rulebook, int]:
        """By which rules and plugins flows are read now."""
        return self._catalog.rules, self._catalog.edition

    def _joined(self, flow: Flow, stored: Iterable[StoredTemplate]) -> Flow:
        found = dict(self._named(each, flow.namespace) for each in stored)
        problems = clashes(flow, found)
        if problems:
            raise Refused(problems)
        return with_templates(flow, found)

    def _named(self, stored: StoredTemplate, place: Namespace) -> tuple[tuple[Namespace, Any], Template]:
        template = read_template(stored.source, self._catalog, stored.tenant, place)
        if isinstance(template, tuple):
            raise Refused(template)
        return template.name, template

    def _once(self, key: Hashable, made: Callable[[], T]) -> T:
        found: T | None = self._look(key)
        if found is not None:
            return found
        new = self._kept[key] = made()
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return new

    def _look(self, key: Hashable) -> Any:
        if self._edition != self._catalog.edition:
            # Plugins have come or gone: what a flow means may be another version now, or none.
            self._edition = self._catalog.edition
            self._kept.clear()
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def _read(self, stored: StoredFlow) -> Flow:
        flow = read_flow(stored.source, self._catalog, stored.tenant, complete=True)
        if isinstance(flow, tuple):
            raise Refused(flow)
        return replace(flow, revision=stored.revision, deleted=stored.deleted)


def _place(flow: Flow) -> _Name:
    return flow.tenant, flow.namespace, flow.id, flow.revision
