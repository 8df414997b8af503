"""Every operation of the API, by resource."""

from __future__ import annotations

from casemate.api.operation import Operation
from casemate.api.operations import (
    execution_files,
    executions,
    flow_bulk,
    flow_checks,
    flow_search,
    flows,
    instance,
    logs,
    metrics,
    plugins,
)

TABLE: tuple[Operation, ...] = (
    *instance.TABLE,
    *plugins.TABLE,
    *flows.TABLE,
    *flow_search.TABLE,
    *flow_checks.TABLE,
    *flow_bulk.TABLE,
    *executions.TABLE,
    *execution_files.TABLE,
    *logs.TABLE,
    *metrics.TABLE,
)
