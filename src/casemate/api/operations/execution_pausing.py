"""Operations by which executions pause and go on."""

from __future__ import annotations

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.operation import FORM, Answer, Operation, Permission, json_of
from casemate.api.operations.acting import actions, flow_of
from casemate.api.operations.choosing import chosen, each, found_by
from casemate.api.operations.execution_start import resolved
from casemate.api.operations.executions import named
from casemate.api.search import FILTERS, OLD_FILTERS
from casemate.api.submitted import kept_for_run, looked_at
from casemate.executions import State, asked_on_resume, to_json


async def pause_execution(call: Call) -> Answer:
    """Let nothing new begin; what runs goes on to its end."""
    found = await named(call)
    return to_json(await actions(call).pause(call.tenant, found.id))


async def pause_executions_by_ids(call: Call) -> Answer:
    """Pause the executions that are named; none of them if one does not run."""
    running = await chosen(call, lambda one: one.state is State.RUNNING, "is not running")
    return {"count": await each(running, lambda one: actions(call).pause(call.tenant, one.id))}


async def pause_executions_by_query(call: Call) -> Answer:
    """Pause the executions that a search finds and that run."""
    found = await found_by(call)
    return {"count": await each(found, lambda one: actions(call).pause(call.tenant, one.id))}


async def resume_execution(call: Call) -> Answer:
    """Let a paused execution go on, with the inputs that its Pause asks for."""
    found = await named(call)
    flow = await flow_of(call, found)
    run, asked = asked_on_resume(flow, found)
    async with kept_for_run(await call.form(), asked, found, run, call.deps) as inputs:
        return to_json(await actions(call).resume(call.tenant, found.id, inputs))


async def validate_resume_execution_inputs(call: Call) -> Answer:
    """Tell what would become of inputs, without resuming anything."""
    found = await named(call)
    _, asked = asked_on_resume(await flow_of(call, found), found)
    inputs = await looked_at(await call.form(), asked, found)
    shown = await resolved(call, found, asked, inputs)
    return {"id": found.flow_id, "namespace": found.namespace, "inputs": shown}


async def resume_executions_by_ids(call: Call) -> Answer:
    """Let the executions that are named go on; none of them if one is not paused."""
    paused = await chosen(call, lambda one: one.state is State.PAUSED, "is not paused, can't resume it")
    return {"count": await each(paused, lambda one: actions(call).resume(call.tenant, one.id))}


async def resume_executions_by_query(call: Call) -> Answer:
    """Let the executions that a search finds and that are paused go on."""
    found = await found_by(call)
    return {"count": await each(found, lambda one: actions(call).resume(call.tenant, one.id))}


_EXECUTIONS = "/api/v1/{tenant}/executions"
_ACTIONS = _EXECUTIONS + "/{execution_id}/actions"
_IDS = json_of(list[str])
_PAUSE: Permission = ("EXECUTION", "PAUSE")
_RESUME: Permission = ("EXECUTION", "RESUME")

TABLE = (
    Operation(
        "POST",
        _ACTIONS + "/pause",
        can=_PAUSE,
        audit="execution:pause",
        returns=shapes.Execution,
        run=pause_execution,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/pause/by-ids",
        can=_PAUSE,
        audit="execution:pause",
        body=_IDS,
        returns=shapes.Count,
        run=pause_executions_by_ids,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/pause/by-query",
        can=_PAUSE,
        audit="execution:pause",
        asks={**FILTERS, **OLD_FILTERS},
        returns=shapes.Count,
        run=pause_executions_by_query,
    ),
    Operation(
        "POST",
        _ACTIONS + "/resume",
        can=_RESUME,
        audit="execution:resume",
        body=FORM,
        returns=shapes.Execution,
        run=resume_execution,
    ),
    Operation(
        "POST",
        _ACTIONS + "/resume/validate",
        can=_RESUME,
        audit="execution:resume",
        body=FORM,
        returns=shapes.InputsResolved,
        run=validate_resume_execution_inputs,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/resume/by-ids",
        can=_RESUME,
        audit="execution:resume",
        body=_IDS,
        returns=shapes.Count,
        run=resume_executions_by_ids,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/resume/by-query",
        can=_RESUME,
        audit="execution:resume",
        asks={**FILTERS, **OLD_FILTERS},
        returns=shapes.Count,
        run=resume_executions_by_query,
    ),
)
