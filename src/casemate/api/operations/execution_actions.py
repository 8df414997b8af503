"""Operations that act on executions: kill, delete."""

from __future__ import annotations

from collections.abc import Sequence

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.api.operations.choosing import chosen, each, found_by
from casemate.api.operations.executions import named
from casemate.api.search import FILTERS, OLD_FILTERS
from casemate.executions import Execution, to_json
from casemate.orchestrator import Belongings


async def kill_execution(call: Call) -> Answer:
    """Stop an execution, with all that it has started unless `isOnKillCascade` is false."""
    found = await named(call)
    await call.deps.orchestrator.kill(call.tenant, found.id, cascade=call.flag("isOnKillCascade", default=True))
    return to_json(await call.deps.orchestrator.get(call.tenant, found.id))


async def kill_executions_by_ids(call: Call) -> Answer:
    """Stop the executions that are named; none of them if one cannot be."""
    running = await chosen(call, lambda one: not one.over, "is already finished")
    return {"count": await _all_killed(call, running)}


async def kill_executions_by_query(call: Call) -> Answer:
    """Stop the executions that a search finds and that still run."""
    found = await found_by(call)
    return {"count": await _all_killed(call, [one for one in found if not one.over])}


async def delete_execution(call: Call) -> Answer:
    """Delete an execution with its logs, metrics and files, unless they are to stay; what still runs is stopped."""
    found = await named(call)
    await call.deps.orchestrator.delete(call.tenant, found.id, _belongings(call))
    return None


async def delete_executions_by_ids(call: Call) -> Answer:
    """Delete the executions that are named; none of them if one cannot be."""
    also_running = call.flag("includeNonTerminated")
    unwanted = await chosen(call, lambda one: also_running or one.state.terminated, "has not ended")
    return {"count": await _all_deleted(call, unwanted)}


async def delete_executions_by_query(call: Call) -> Answer:
    """Delete the executions that a search finds and that have ended; with `includeNonTerminated` all of them."""
    also_running = call.flag("includeNonTerminated")
    found = await found_by(call)
    return {"count": await _all_deleted(call, [one for one in found if also_running or one.state.terminated])}


async def _all_killed(call: Call, executions: Sequence[Execution]) -> int:
    return await each(executions, lambda one: call.deps.orchestrator.kill(call.tenant, one.id))


async def _all_deleted(call: Call, executions: Sequence[Execution]) -> int:
    belongings = _belongings(call)
    return await each(executions, lambda one: call.deps.orchestrator.delete(call.tenant, one.id, belongings))


def _belongings(call: Call) -> Belongings:
    return Belongings(
        logs=call.flag("deleteLogs", default=True),
        metrics=call.flag("deleteMetrics", default=True),
        files=call.flag("deleteStorage", default=True),
    )


_PARTS = {"deleteLogs": bool, "deleteMetrics": bool, "deleteStorage": bool}
_EXECUTIONS = "/api/v1/{tenant}/executions"
_ACTIONS = _EXECUTIONS + "/{execution_id}/actions"
_IDS_BODY = json_of(list[str])
_KILL: Permission = ("EXECUTION", "KILL")
_DELETE: Permission = ("EXECUTION", "DELETE")

TABLE = (
    Operation(
        "DELETE",
        _ACTIONS + "/kill",
        can=_KILL,
        audit="execution:kill",
        asks={"isOnKillCascade": bool},
        returns=shapes.Execution,
        run=kill_execution,
    ),
    Operation(
        "DELETE",
        _EXECUTIONS + "/kill/by-ids",
        can=_KILL,
        audit="execution:kill",
        body=_IDS_BODY,
        returns=shapes.Count,
        run=kill_executions_by_ids,
    ),
    Operation(
        "DELETE",
        _EXECUTIONS + "/kill/by-query",
        can=_KILL,
        audit="execution:kill",
        asks={**FILTERS, **OLD_FILTERS},
        returns=shapes.Count,
        run=kill_executions_by_query,
    ),
    Operation(
        "DELETE",
        _EXECUTIONS + "/{execution_id}",
        can=_DELETE,
        audit="execution:delete",
        asks=_PARTS,
        status=204,
        run=delete_execution,
    ),
    Operation(
        "DELETE",
        _EXECUTIONS + "/by-ids",
        can=_DELETE,
        audit="execution:delete",
        body=_IDS_BODY,
        asks={"includeNonTerminated": bool, **_PARTS},
        returns=shapes.Count,
        run=delete_executions_by_ids,
    ),
    Operation(
        "DELETE",
        _EXECUTIONS + "/by-query",
        can=_DELETE,
        audit="execution:delete",
        asks={"includeNonTerminated": bool, **_PARTS, **FILTERS, **OLD_FILTERS},
        returns=shapes.Count,
        run=delete_executions_by_query,
    ),
)
