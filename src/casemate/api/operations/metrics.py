"""Operations on what task runs measured."""

from __future__ import annotations

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.operation import Answer, Operation
from casemate.api.search import page
from casemate.identifiers import ExecutionId
from casemate.store import MetricEntry
from casemate.store import metrics as rows


async def execution_metrics(call: Call) -> Answer:
    """List the measurements of an execution."""
    part, task, task_run = page(call), call.text("taskId"), call.text("taskRunId")
    found = await call.deps.db.read(rows.of_execution, call.tenant, ExecutionId(call.part("execution_id")))
    kept = [one for one in found if task in (None, one.task_id) and task_run in (None, one.task_run_id)]
    return paged([shown(one) for one in kept[(part.number - 1) * part.size : part.number * part.size]], len(kept))


def shown(entry: MetricEntry) -> dict[str, object]:
    """One measurement as Kestra's JSON."""
    return {
        "namespace": entry.namespace,
        "flowId": entry.flow_id,
        "executionId": entry.execution_id,
        "taskId": entry.task_id,
        "taskRunId": entry.task_run_id,
        "timestamp": entry.at,
        "type": entry.kind,
        "name": entry.name,
        "value": entry.value,
        "tags": dict(entry.tags),
    }


TABLE = (
    Operation(
        "GET",
        "/api/v1/{tenant}/metrics/{execution_id}",
        can=("EXECUTION", "VIEW"),
        audit="execution:metrics",
        asks={"page": int, "size": int, "sort": list, "taskRunId": str, "taskId": str},
        returns=shapes.Metrics,
        run=execution_metrics,
    ),
)
