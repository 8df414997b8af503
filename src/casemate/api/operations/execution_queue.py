"""Operations on the concurrency limits of flows: what waits is let go or run by force; how many run."""

from __future__ import annotations

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import illegal_argument, illegal_state, not_found
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.api.operations.acting import actions
from casemate.api.operations.choosing import chosen, each, found_by
from casemate.api.operations.executions import named
from casemate.api.search import FILTERS, OLD_FILTERS
from casemate.executions import Execution, State, to_json
from casemate.store import slots

_LIMIT = shapes.RunningAsked


async def unqueue_execution(call: Call) -> Answer:
    """Let a queued execution run, or end it, whatever the limit of its flow says."""
    found = await named(call)
    return to_json(await actions(call).unqueue(call.tenant, found.id, _state(call.text("state"))))


async def unqueue_executions_by_ids(call: Call) -> Answer:
    """Let the executions that are named go; none of them if one is not queued."""
    state = _state(call.text("state"))
    waiting = await chosen(call, lambda one: one.state is State.QUEUED, "is not queued")
    return {"count": await each(waiting, lambda one: actions(call).unqueue(call.tenant, one.id, state))}


async def unqueue_executions_by_query(call: Call) -> Answer:
    """Let the executions that a search finds and that are queued go."""
    state = _state(call.text("newStatus") or call.text("newState"))
    found = await found_by(call)
    return {"count": await each(found, lambda one: actions(call).unqueue(call.tenant, one.id, state))}


async def force_run_execution(call: Call) -> Answer:
    """Run an execution now: without its place, its date, or whoever it waits for."""
    found = await named(call)
    return to_json(await actions(call).force_run(call.tenant, found.id))


async def force_run_by_ids(call: Call) -> Answer:
    """Run the executions that are named now; none of them if one has ended."""
    open_ = await chosen(call, lambda one: not one.state.terminated, "is already finished")
    return {"count": await _all_forced(call, open_)}


async def force_run_executions_by_query(call: Call) -> Answer:
    """Run the executions that a search finds and that have not ended now."""
    return {"count": await _all_forced(call, await found_by(call))}


async def search_concurrency_limits(call: Call) -> Answer:
    """List the flows that have a limit, and how many of their executions run."""
    found = await call.deps.db.read(slots.limited, call.tenant)
    shown: list[dict[str, object]] = [
        {"tenantId": tenant, "namespace": namespace, "flowId": flow, "running": running}
        for (tenant, namespace, flow), running in found
    ]
    return paged(shown, len(shown))


async def update_concurrency_limit(call: Call) -> Answer:
    """Confirm how many executions of a flow run: that is counted from the executions, and can't be set."""
    asked = await call.body_json(_LIMIT)
    found = await call.deps.db.read(slots.limited, call.tenant)
    running = next((running for (_, *flow), running in found if tuple(flow) == call.flow), None)
    if running is None:
        raise not_found(f"a concurrency limit of flow {call.part('namespace')}.{call.part('flow_id')}")
    if asked["running"] != running:
        raise illegal_state(f"{running} executions run: they are counted, kill or force-run some to change that")
    return {"tenantId": call.tenant, "namespace": call.flow[0], "flowId": call.flow[1], "running": running}


async def _all_forced(call: Call, executions: list[Execution]) -> int:
    return await each(executions, lambda one: actions(call).force_run(call.tenant, one.id))


def _state(text: str | None) -> State:
    try:
        return State(text or State.RUNNING)
    except ValueError as error:
        raise illegal_argument(
            f"{text!r} is no state; a queued execution can become RUNNING, CANCELLED or FAILED"
        ) from error


_EXECUTIONS = "/api/v1/{tenant}/executions"
_ACTIONS = _EXECUTIONS + "/{execution_id}/actions"
_IDS = json_of(list[str])
_UNQUEUE: Permission = ("EXECUTION", "UNQUEUE")
_FORCE_RUN: Permission = ("EXECUTION", "FORCE_RUN")

TABLE = (
    Operation(
        "POST",
        _ACTIONS + "/unqueue",
        can=_UNQUEUE,
        audit="execution:unqueue",
        asks={"state": str},
        returns=shapes.Execution,
        run=unqueue_execution,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/unqueue/by-ids",
        can=_UNQUEUE,
        audit="execution:unqueue",
        body=_IDS,
        asks={"state": str},
        returns=shapes.Count,
        run=unqueue_executions_by_ids,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/unqueue/by-query",
        can=_UNQUEUE,
        audit="execution:unqueue",
        asks={"newState": str, "newStatus": str, **FILTERS, **OLD_FILTERS},
        returns=shapes.Count,
        run=unqueue_executions_by_query,
    ),
    Operation(
        "POST",
        _ACTIONS + "/force-run",
        can=_FORCE_RUN,
        audit="execution:force-run",
        returns=shapes.Execution,
        run=force_run_execution,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/force-run/by-ids",
        can=_FORCE_RUN,
        audit="execution:force-run",
        body=_IDS,
        returns=shapes.Count,
        run=force_run_by_ids,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/force-run/by-query",
        can=_FORCE_RUN,
        audit="execution:force-run",
        asks={**FILTERS, **OLD_FILTERS},
        returns=shapes.Count,
        run=force_run_executions_by_query,
    ),
    Operation(
        "GET",
        "/api/v1/{tenant}/concurrency-limit/search",
        can=("FLOW", "LIST"),
        audit="flow:list",
        returns=shapes.ConcurrencyLimits,
        run=search_concurrency_limits,
    ),
    Operation(
        "PUT",
        "/api/v1/{tenant}/concurrency-limit/{namespace}/{flow_id}",
        can=("FLOW", "UPDATE"),
        audit="flow:limit",
        body=json_of(shapes.RunningAsked),
        returns=shapes.ConcurrencyLimit,
        run=update_concurrency_limit,
    ),
)
