"""Operations by which executions run again: restart and replay."""

from __future__ import annotations

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import Declined
from casemate.api.operation import FORM, Answer, Operation, Permission, json_of
from casemate.api.operations.acting import actions, flow_of
from casemate.api.operations.choosing import chosen, each, found_by
from casemate.api.operations.execution_start import with_url
from casemate.api.operations.executions import named
from casemate.api.search import FILTERS, OLD_FILTERS
from casemate.api.submitted import kept
from casemate.executions import Execution, State
from casemate.identifiers import ExecutionId, TaskRunId
from casemate.orchestrator import new_id

_RESTARTABLE = (State.FAILED, State.PAUSED)


async def restart_execution(call: Call) -> Answer:
    """Run an execution again from what failed in it; with a revision that is a new execution."""
    found = await named(call)
    return with_url(await actions(call).restart(call.tenant, found.id, call.number("revision")), call)


async def restart_executions_by_ids(call: Call) -> Answer:
    """Run the executions that are named again; none of them if nothing failed in one."""
    failed = await chosen(call, _has_failed, "has nothing to restart from")
    return {"count": await each(failed, lambda one: actions(call).restart(call.tenant, one.id))}


async def restart_executions_by_query(call: Call) -> Answer:
    """Run the executions that a search finds again where something failed."""
    found = await found_by(call)
    return {"count": await each(found, lambda one: actions(call).restart(call.tenant, one.id))}


async def replay_execution(call: Call) -> Answer:
    """Run an execution again as a new one, from its beginning or from a task run."""
    _no_breakpoints(call)
    found = await named(call)
    run, revision = _task_run(call), call.number("revision")
    return with_url(await actions(call).replay(call.tenant, found.id, task_run=run, revision=revision), call)


async def replay_execution_with_inputs(call: Call) -> Answer:
    """The same with other inputs; without any the old ones are used again."""
    _no_breakpoints(call)
    found = await named(call)
    run, revision, key = _task_run(call), call.number("revision"), ExecutionId(new_id())
    flow = await flow_of(call, found, revision)
    async with kept(await call.form(), flow, key, call.deps) as inputs:
        new = await actions(call).replay(
            call.tenant, found.id, task_run=run, revision=revision, submitted=inputs, as_id=key
        )
    return with_url(new, call)


async def replay_executions_by_ids(call: Call) -> Answer:
    """Run the executions that are named again as new ones."""
    latest = call.flag("latestRevision")
    old = await chosen(call, lambda one: True, "")
    return {"count": await each(old, lambda one: actions(call).replay(call.tenant, one.id, latest=latest))}


async def replay_executions_by_query(call: Call) -> Answer:
    """Run the executions that a search finds again as new ones."""
    latest = call.flag("latestRevision")
    old = await found_by(call)
    return {"count": await each(old, lambda one: actions(call).replay(call.tenant, one.id, latest=latest))}


def _has_failed(execution: Execution) -> bool:
    stopped = execution.state.terminated or execution.state is State.PAUSED
    return stopped and any(run.state in _RESTARTABLE for run in execution.task_runs.values())


def _task_run(call: Call) -> TaskRunId | None:
    text = call.text("taskRunId")
    return None if text is None else TaskRunId(text)


def _no_breakpoints(call: Call) -> None:
    if call.text("breakpoints") is not None:
        raise Declined(501, "Not Implemented: breakpoints")


_EXECUTIONS = "/api/v1/{tenant}/executions"
_ACTIONS = _EXECUTIONS + "/{execution_id}/actions"
_IDS = json_of(list[str])
_RESTART: Permission = ("EXECUTION", "RESTART")
_REPLAY: Permission = ("EXECUTION", "REPLAY")
_FROM = {"taskRunId": str, "revision": int, "breakpoints": str}
_LATEST = {"latestRevision": bool}

TABLE = (
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
        asks={**FILTERS, **OLD_FILTERS},
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
        asks={**_LATEST, **FILTERS, **OLD_FILTERS},
        returns=shapes.Count,
        run=replay_executions_by_query,
    ),
)
