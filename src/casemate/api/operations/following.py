"""Following an execution and its logs as server-sent events, until it has ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from casemate.api import large
from casemate.api.answers import text
from casemate.api.call import Call
from casemate.api.operation import Answer, Operation
from casemate.api.operations.executions import named
from casemate.api.operations.logs import shown, wanted
from casemate.api.sse import Event, closing, stream
from casemate.executions import Execution, to_json
from casemate.identifiers import ExecutionId, TenantId
from casemate.orchestrator import Orchestrator, Reach
from casemate.store.logs import Wanted


async def follow_execution(call: Call) -> Answer:
    """Send the execution now and after every change."""
    found = await named(call)
    return stream(_changes(call.deps.orchestrator, call.tenant, found.id), call.deps.heartbeat, call.deps.followers)


async def follow_logs_from_execution(call: Call) -> Answer:
    """Send the log entries so far, and each new one."""
    found, only = await named(call), wanted(call)
    return stream(
        _entries(call.deps.orchestrator, call.tenant, found.id, only), call.deps.heartbeat, call.deps.followers
    )


async def follow_dependencies_execution(call: Call) -> Answer:
    """Send the state of the execution and of those that belong to it, now and after every change.

    That is what it started, and unless `destinationOnly` what it was started by; with `expandAll` not only the next.
    """
    found = await named(call)
    reach = Reach(upwards=not call.flag("destinationOnly"), whole=call.flag("expandAll"))
    events = _kin(call.deps.orchestrator, call.tenant, found.id, reach)
    return stream(events, call.deps.heartbeat, call.deps.followers)


async def _changes(orchestrator: Orchestrator, tenant: TenantId, execution: ExecutionId) -> AsyncGenerator[Event]:
    first = True
    async with closing(orchestrator.watch(tenant, execution)) as changes:
        async for seen in changes:
            last = seen.over
            yield Event("end" if last else "start" if first else "progress", await large.text_of(seen))
            first = False


async def _entries(
    orchestrator: Orchestrator, tenant: TenantId, execution: ExecutionId, only: Wanted
) -> AsyncGenerator[Event]:
    async with closing(orchestrator.watch_logs(tenant, execution, only)) as entries:
        async for entry in entries:
            yield Event("progress", text(shown(entry)))
    yield Event("end", "{}")


async def _kin(
    orchestrator: Orchestrator, tenant: TenantId, execution: ExecutionId, reach: Reach
) -> AsyncGenerator[Event]:
    root: dict[str, object] | None = None
    async with closing(orchestrator.watch_kin(tenant, execution, reach)) as changes:
        async for seen in changes:
            status = _status(seen)
            if root is None or not seen.over:
                yield Event("start" if root is None else "progress", text(status))
            if seen.over:
                yield Event("end", text(status))
            root = status if seen.id == execution else root
    yield Event("end-all", text(root))


def _status(execution: Execution) -> dict[str, object]:
    shown = to_json(replace(execution, task_runs={}))
    named = {name: shown[name] for name in ("tenantId", "namespace", "flowId", "state")}
    return {"executionId": execution.id, **named}


TABLE = (
    Operation(
        "GET",
        "/api/v1/{tenant}/executions/{execution_id}/follow",
        can=("EXECUTION", "FOLLOW"),
        audit="execution:follow",
        produces="text/event-stream",
        run=follow_execution,
    ),
    Operation(
        "GET",
        "/api/v1/{tenant}/executions/{execution_id}/follow-dependencies",
        can=("EXECUTION", "FOLLOW"),
        audit="execution:follow",
        asks={"destinationOnly": bool, "expandAll": bool},
        produces="text/event-stream",
        run=follow_dependencies_execution,
    ),
    Operation(
        "GET",
        "/api/v1/{tenant}/logs/{execution_id}/follow",
        can=("EXECUTION", "ACCESS_LOGS"),
        audit="log:follow",
        asks={"minLevel": str, "taskRunId": str, "taskId": str, "attempt": int},
        produces="text/event-stream",
        run=follow_logs_from_execution,
    ),
)
