"""Every operation of the API, by resource."""

from __future__ import annotations

from casemate.api.operation import Operation
from casemate.api.operations import (
    evaluation,
    execution_actions,
    execution_again,
    execution_files,
    execution_queue,
    execution_start,
    executions,
    flow_bulk,
    flow_checks,
    flow_search,
    flows,
    following,
    instance,
    kv,
    logs,
    metrics,
    metrics_over_time,
    namespace_files,
    plugins,
    webhooks,
)

TABLE: tuple[Operation, ...] = (
    *instance.TABLE,
    *plugins.TABLE,
    *flows.TABLE,
    *flow_search.TABLE,
    *flow_checks.TABLE,
    *flow_bulk.TABLE,
    *executions.TABLE,
    *execution_start.TABLE,
    *execution_actions.TABLE,
    *execution_again.TABLE,
    *execution_queue.TABLE,
    *execution_files.TABLE,
    *evaluation.TABLE,
    *following.TABLE,
    *webhooks.TABLE,
    *logs.TABLE,
    *metrics.TABLE,
    *metrics_over_time.TABLE,
    *kv.TABLE,
    *namespace_files.TABLE,
)
