"""Operations by which people give executions and task runs another state."""

from __future__ import annotations

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.api.operations.acting import actions, state_of
from casemate.api.operations.choosing import chosen, each, found_by
from casemate.api.operations.executions import named
from casemate.api.search import FILTERS, OLD_FILTERS
from casemate.executions import to_json
from casemate.identifiers import TaskRunId

_STATE = shapes.StateAsked


async def update_execution_status(call: Call) -> Answer:
    """Give an ended execution another end."""
    found = await named(call)
    state = state_of(call.text("status"), "status")
    return to_json(await actions(call).change_status(call.tenant, found.id, state))


async def update_executions_status_by_ids(call: Call) -> Answer:
    """Give the executions that are named another end; none of them if one has not ended."""
    state = state_of(call.text("newStatus"), "newStatus")
    ended = await chosen(call, lambda one: one.state.terminated, "has not ended")
    return {"count": await each(ended, lambda one: actions(call).change_status(call.tenant, one.id, state))}


async def update_executions_status_by_query(call: Call) -> Answer:
    """Give the executions that a search finds and that have ended another end."""
    state = state_of(call.text("newStatus"), "newStatus")
    found = await found_by(call)
    return {"count": await each(found, lambda one: actions(call).change_status(call.tenant, one.id, state))}


async def update_task_run_state(call: Call) -> Answer:
    """Give a task run another state and let its execution go on from there."""
    found = await named(call)
    asked = await call.body_json(_STATE)
    state = state_of(asked["state"], "state")
    changed = actions(call).change_task_run(call.tenant, found.id, TaskRunId(asked["taskRunId"]), state)
    return to_json(await changed)


_EXECUTIONS = "/api/v1/{tenant}/executions"
_ACTIONS = _EXECUTIONS + "/{execution_id}/actions"
_IDS = json_of(list[str])
_UPDATE: Permission = ("EXECUTION", "UPDATE")
_STATUS = {"newStatus": str}

TABLE = (
    Operation(
        "POST",
        _ACTIONS + "/change-status",
        can=_UPDATE,
        audit="execution:change-status",
        asks={"status": str},
        returns=shapes.Execution,
        run=update_execution_status,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/change-status/by-ids",
        can=_UPDATE,
        audit="execution:change-status",
        body=_IDS,
        asks=_STATUS,
        returns=shapes.Count,
        run=update_executions_status_by_ids,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/change-status/by-query",
        can=_UPDATE,
        audit="execution:change-status",
        asks={**_STATUS, **FILTERS, **OLD_FILTERS},
        returns=shapes.Count,
        run=update_executions_status_by_query,
    ),
    Operation(
        "POST",
        _ACTIONS + "/state",
        can=_UPDATE,
        audit="execution:change-state",
        body=json_of(shapes.StateAsked),
        returns=shapes.Execution,
        run=update_task_run_state,
    ),
)
