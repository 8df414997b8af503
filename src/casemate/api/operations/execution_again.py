"""Operations by which executions go on or run again: pause, resume, restart, replay, change of a state."""

from __future__ import annotations

from pydantic import TypeAdapter

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import Declined, illegal_argument
from casemate.api.operation import FORM, Answer, Operation, Permission, json_of
from casemate.api.operations.choosing import chosen, each, found_by
from casemate.api.operations.execution_start import resolved, with_url
from casemate.api.operations.executions import named
from casemate.api.search import FILTERS
from casemate.api.submitted import kept, kept_for_run, looked_at
from casemate.executions import Execution, State, asked_on_resume, to_json
from casemate.flows import Flow
from casemate.identifiers import ExecutionId, TaskRunId
from casemate.orchestrator import Actions, new_id

_STATE = TypeAdapter(shapes.StateAsked)
_RESTARTABLE = (State.FAILED, State.PAUSED)


async def pause_execution(call: Call) -> Answer:
    """Let nothing new begin; what runs goes on to its end."""
    found = await named(call)
    return to_json(await _actions(call).pause(call.tenant, found.id))


async def pause_executions_by_ids(call: Call) -> Answer:
    """Pause the executions that are named; none of them if one does not run."""
    running = await chosen(call, lambda one: one.state is State.RUNNING, "is not running")
    return {"count": await each(running, lambda one: _actions(call).pause(call.tenant, one.id))}


async def pause_executions_by_query(call: Call) -> Answer:
    """Pause the executions that a search finds and that run."""
    found = await found_by(call)
    return {"count": await each(found, lambda one: _actions(call).pause(call.tenant, one.id))}


async def resume_execution(call: Call) -> Answer:
    """Let a paused execution go on, with the inputs that its Pause asks for."""
    found = await named(call)
    flow = await _flow_of(call, found)
    run, asked = asked_on_resume(flow, found)
    async with kept_for_run(await call.form(), asked, found, run, call.deps) as inputs:
        return to_json(await _actions(call).resume(call.tenant, found.id, inputs))


async def validate_resume_execution_inputs(call: Call) -> Answer:
    """Tell what would become of inputs, without resuming anything."""
    found = await named(call)
    _, asked = asked_on_resume(await _flow_of(call, found), found)
    inputs = await looked_at(await call.form(), asked, found)
    shown = await resolved(call, asked, inputs)
    return {"id": found.flow_id, "namespace": found.namespace, "inputs": shown}


async def resume_executions_by_ids(call: Call) -> Answer:
    """Let the executions that are named go on; none of them if one is not paused."""
    paused = await chosen(call, lambda one: one.state is State.PAUSED, "is not paused, can't resume it")
    return {"count": await each(paused, lambda one: _actions(call).resume(call.tenant, one.id))}


async def resume_executions_by_query(call: Call) -> Answer:
    """Let the executions that a search finds and that are paused go on."""
    found = await found_by(call)
    return {"count": await each(found, lambda one: _actions(call).resume(call.tenant, one.id))}


async def restart_execution(call: Call) -> Answer:
    """Run an execution again from what failed in it; with a revision that is a new execution."""
    found = await named(call)
    return with_url(await _actions(call).restart(call.tenant, found.id, call.number("revision")), call)


async def restart_executions_by_ids(call: Call) -> Answer:
    """Run the executions that are named again; none of them if nothing failed in one."""
    failed = await chosen(call, _has_failed, "has nothing to restart from")
    return {"count": await each(failed, lambda one: _actions(call).restart(call.tenant, one.id))}


async def restart_executions_by_query(call: Call) -> Answer:
    """Run the executions that a search finds again where something failed."""
    found = await found_by(call)
    return {"count": await each(found, lambda one: _actions(call).restart(call.tenant, one.id))}


async def replay_execution(call: Call) -> Answer:
    """Run an execution again as a new one, from its beginning or from a task run."""
    _no_breakpoints(call)
    found = await named(call)
    run, revision = _task_run(call), call.number("revision")
    return with_url(await _actions(call).replay(call.tenant, found.id, task_run=run, revision=revision), call)


async def replay_execution_with_inputs(call: Call) -> Answer:
    """The same with other inputs; without any the old ones are used again."""
    _no_breakpoints(call)
    found = await named(call)
    run, revision, key = _task_run(call), call.number("revision"), ExecutionId(new_id())
    flow = await _flow_of(call, found, revision)
    async with kept(await call.form(), flow, key, call.deps) as inputs:
        new = await _actions(call).replay(
            call.tenant, found.id, task_run=run, revision=revision, submitted=inputs, as_id=key
        )
    return with_url(new, call)


async def replay_executions_by_ids(call: Call) -> Answer:
    """Run the executions that are named again as new ones."""
    latest = call.flag("latestRevision")
    old = await chosen(call, lambda one: True, "")
    return {"count": await each(old, lambda one: _actions(call).replay(call.tenant, one.id, latest=latest))}


async def replay_executions_by_query(call: Call) -> Answer:
    """Run the executions that a search finds again as new ones."""
    latest = call.flag("latestRevision")
    old = await found_by(call)
    return {"count": await each(old, lambda one: _actions(call).replay(call.tenant, one.id, latest=latest))}


async def update_execution_status(call: Call) -> Answer:
    """Give an ended execution another end."""
    found = await named(call)
    state = _state(call.text("status"), "status")
    return to_json(await _actions(call).change_status(call.tenant, found.id, state))


async def update_executions_status_by_ids(call: Call) -> Answer:
    """Give the executions that are named another end; none of them if one has not ended."""
    state = _state(call.text("newStatus"), "newStatus")
    ended = await chosen(call, lambda one: one.state.terminated, "has not ended")
    return {"count": await each(ended, lambda one: _actions(call).change_status(call.tenant, one.id, state))}


async def update_executions_status_by_query(call: Call) -> Answer:
    """Give the executions that a search finds and that have ended another end."""
    state = _state(call.text("newStatus"), "newStatus")
    found = await found_by(call)
    return {"count": await each(found, lambda one: _actions(call).change_status(call.tenant, one.id, state))}


async def update_task_run_state(call: Call) -> Answer:
    """Give a task run another state and let its execution go on from there."""
    found = await named(call)
    asked = await call.body_json(_STATE)
    state = _state(asked["state"], "state")
    changed = _actions(call).change_task_run(call.tenant, found.id, TaskRunId(asked["taskRunId"]), state)
    return to_json(await changed)


def _actions(call: Call) -> Actions:
    return call.deps.orchestrator.actions


async def _flow_of(call: Call, execution: Execution, revision: int | None = None) -> Flow:
    wanted = (execution.namespace, execution.flow_id, revision or execution.flow_revision)
    return await call.deps.orchestrator.flow_of(call.tenant, *wanted)


def _has_failed(execution: Execution) -> bool:
    stopped = execution.state.terminated or execution.state is State.PAUSED
    return stopped and any(run.state in _RESTARTABLE for run in execution.task_runs.values())


def _task_run(call: Call) -> TaskRunId | None:
    text = call.text("taskRunId")
    return None if text is None else TaskRunId(text)


def _state(text: str | None, name: str) -> State:
    try:
        return State(text or "")
    except ValueError as error:
        raise illegal_argument(f"{name} is {text!r}, it must be a state like SUCCESS or FAILED") from error


def _no_breakpoints(call: Call) -> None:
    if call.text("breakpoints") is not None:
        raise Declined(501, "Not Implemented: breakpoints")


_EXECUTIONS = "/api/v1/{tenant}/executions"
_ACTIONS = _EXECUTIONS + "/{execution_id}/actions"
_IDS = json_of(list[str])
_PAUSE: Permission = ("EXECUTION", "PAUSE")
_RESUME: Permission = ("EXECUTION", "RESUME")
_RESTART: Permission = ("EXECUTION", "RESTART")
_REPLAY: Permission = ("EXECUTION", "REPLAY")
_UPDATE: Permission = ("EXECUTION", "UPDATE")
_FROM = {"taskRunId": str, "revision": int, "breakpoints": str}
_LATEST = {"latestRevision": bool}
_STATUS = {"newStatus": str}

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
        asks=FILTERS,
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
        asks=FILTERS,
        returns=shapes.Count,
        run=resume_executions_by_query,
    ),
    Operation(
        "POST",
        _ACTIONS + "/restart",
        can=_RESTART,
        audit="execution:restart",
        asks={"revision": int},
        returns=shapes.Execution,
        run=restart_execution,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/restart/by-ids",
        can=_RESTART,
        audit="execution:restart",
        body=_IDS,
        returns=shapes.Count,
        run=restart_executions_by_ids,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/restart/by-query",
        can=_RESTART,
        audit="execution:restart",
        asks=FILTERS,
        returns=shapes.Count,
        run=restart_executions_by_query,
    ),
    Operation(
        "POST",
        _ACTIONS + "/replay",
        can=_REPLAY,
        audit="execution:replay",
        asks=_FROM,
        returns=shapes.Execution,
        run=replay_execution,
    ),
    Operation(
        "POST",
        _ACTIONS + "/replay-with-inputs",
        can=_REPLAY,
        audit="execution:replay",
        body=FORM,
        asks=_FROM,
        returns=shapes.Execution,
        run=replay_execution_with_inputs,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/replay/by-ids",
        can=_REPLAY,
        audit="execution:replay",
        body=_IDS,
        asks=_LATEST,
        returns=shapes.Count,
        run=replay_executions_by_ids,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/replay/by-query",
        can=_REPLAY,
        audit="execution:replay",
        asks={**_LATEST, **FILTERS},
        returns=shapes.Count,
        run=replay_executions_by_query,
    ),
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
        asks={**_STATUS, **FILTERS},
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
