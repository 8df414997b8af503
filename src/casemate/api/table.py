"""Every operation of the API, by resource."""

from __future__ import annotations

from casemate.api.operation import Operation
from casemate.api.operations import flow_bulk, flow_checks, flow_search, flows, instance, plugins

TABLE: tuple[Operation, ...] = (
    *instance.TABLE,
    *plugins.TABLE,
    *flows.TABLE,
    *flow_search.TABLE,
    *flow_checks.TABLE,
    *flow_bulk.TABLE,
)
