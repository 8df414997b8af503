"""Flows as they are run: read from their texts once, completed with plugin defaults, kept while they are used."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TypeAlias

from casemate.catalog import Catalog
from casemate.errors import Refused
from casemate.executions import Execution
from casemate.flows import Flow, read_flow
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.orchestrator.errors import NotFound
from casemate.store import Database, StoredFlow, flows

_Name: TypeAlias = tuple[TenantId, Namespace, FlowId, int]


class Shelf:
    """The flows that were used last; a revision never changes, so nothing here gets old."""

    def __init__(self, db: Database, catalog: Catalog, size: int) -> None:
        self._db = db
        self._catalog = catalog
        self._size = size
        self._flows: OrderedDict[_Name, Flow] = OrderedDict()

    async def latest(self, tenant: TenantId, namespace: Namespace, flow: FlowId) -> Flow:
        """The last revision. Raises `NotFound`, and `Refused` if its text is no longer valid."""
        stored = await self._db.read(flows.latest, tenant, namespace, flow)
        if stored is None:
            raise NotFound("Flow not found")
        return self._flow(stored)

    async def revision(self, tenant: TenantId, namespace: Namespace, flow: FlowId, number: int) -> Flow:
        """One revision, also of a deleted flow. Raises as `latest` does."""
        name = (tenant, namespace, flow, number)
        if name in self._flows:
            return self._kept(name)
        stored = await self._db.read(flows.revision, tenant, namespace, flow, number)
        if stored is None:
            raise NotFound("Flow not found")
        return self._flow(stored)

    async def of(self, execution: Execution) -> Flow:
        """The flow that an execution runs."""
        return await self.revision(execution.tenant, execution.namespace, execution.flow_id, execution.flow_revision)

    def _flow(self, stored: StoredFlow) -> Flow:
        name = (stored.tenant, stored.namespace, stored.id, stored.revision)
        if name not in self._flows:
            self._flows[name] = self._read(stored)
            if len(self._flows) > self._size:
                self._flows.popitem(last=False)
        return self._kept(name)

    def _kept(self, name: _Name) -> Flow:
        self._flows.move_to_end(name)
        return self._flows[name]

    def _read(self, stored: StoredFlow) -> Flow:
        flow = read_flow(stored.source, self._catalog, stored.tenant, complete=True)
        if isinstance(flow, tuple):
            raise Refused(flow)
        return replace(flow, revision=stored.revision, deleted=stored.deleted)
