"""Operations that act on executions: kill, delete; and trying out an expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import TypeAdapter

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import Declined, illegal_argument
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.api.operations.executions import MOST_AT_ONCE, named
from casemate.api.search import FILTERS, LARGEST, filters
from casemate.executions import Execution, to_json
from casemate.identifiers import ExecutionId, TenantId
from casemate.orchestrator import Conflict, NotFound
from casemate.store import Filter, Page, Tx
from casemate.store import executions as rows

_IDS = TypeAdapter(list[str])

_EVALUATION = 5.0
"""Seconds that an expression may take."""


async def kill_execution(call: Call) -> Answer:
    """Stop an execution."""
    found = await named(call)
    await call.deps.orchestrator.kill(call.tenant, found.id)
    return to_json(await call.deps.orchestrator.get(call.tenant, found.id))


async def kill_executions_by_ids(call: Call) -> Answer:
    """Stop the executions that are named; none of them if one cannot be."""
    chosen = await _chosen(call, lambda one: not one.state.terminated, "is already finished")
    return {"count": await _each_killed(call, chosen)}


async def kill_executions_by_query(call: Call) -> Answer:
    """Stop the executions that a search finds and that still run."""
    found = await call.deps.db.read(_found, call.tenant, filters(call))
    return {"count": await _each_killed(call, [one for one in found if not one.state.terminated])}


async def delete_execution(call: Call) -> Answer:
    """Delete an execution with its logs, metrics and files; what still runs is stopped."""
    _nothing_is_left(call)
    found = await named(call)
    await call.deps.orchestrator.delete(call.tenant, found.id)
    return None


async def delete_executions_by_ids(call: Call) -> Answer:
    """Delete the executions that are named; none of them if one cannot be."""
    _nothing_is_left(call)
    also_running = call.flag("includeNonTerminated")
    chosen = await _chosen(call, lambda one: also_running or one.state.terminated, "has not ended")
    return {"count": await _each_deleted(call, chosen)}


async def delete_executions_by_query(call: Call) -> Answer:
    """Delete the executions that a search finds and that have ended; with `includeNonTerminated` all of them."""
    _nothing_is_left(call)
    also_running = call.flag("includeNonTerminated")
    found = await call.deps.db.read(_found, call.tenant, filters(call))
    return {"count": await _each_deleted(call, [one for one in found if also_running or one.state.terminated])}


async def _chosen(call: Call, fits: Callable[[Execution], bool], otherwise: str) -> list[Execution]:
    """The executions that the body names; raises 400 with all that do not exist or do not fit."""
    given = await call.body_json(_IDS)
    names = list(dict.fromkeys(given))
    if len(names) > MOST_AT_ONCE:
        raise illegal_argument(f"{len(names)} executions are named, at most {MOST_AT_ONCE} may be")
    found = await call.deps.db.read(_read, call.tenant, names)
    unknown = [f"{name} was not found" for name in names if name not in found]
    unfit = [f"{name} {otherwise}" for name, one in found.items() if not fits(one)]
    if unknown or unfit:
        raise Declined(400, f"Invalid executions: {', '.join(unknown + unfit)}")
    return list(found.values())


def _read(tx: Tx, tenant: TenantId, names: Sequence[str]) -> dict[str, Execution]:
    found = ((name, rows.get(tx, tenant, ExecutionId(name))) for name in names)
    return {name: one for name, one in found if one is not None}


def _found(tx: Tx, tenant: TenantId, wanted: tuple[Filter, ...]) -> list[Execution]:
    found: list[Execution] = []
    number, total = 1, 1
    while len(found) < total:
        part, total = rows.search(tx, tenant, wanted, Page(number=number, size=LARGEST))
        found += part
        number += 1
    return found


async def _each_killed(call: Call, executions: Sequence[Execution]) -> int:
    count = 0
    for one in executions:
        try:
            await call.deps.orchestrator.kill(call.tenant, one.id)
        except (Conflict, NotFound):
            continue  # it ended or went meanwhile
        count += 1
    return count


async def _each_deleted(call: Call, executions: Sequence[Execution]) -> int:
    count = 0
    for one in executions:
        try:
            await call.deps.orchestrator.delete(call.tenant, one.id)
        except NotFound:
            continue  # someone else was faster
        count += 1
    return count


def _nothing_is_left(call: Call) -> None:
    kept = [flag for flag in _PARTS if not call.flag(flag, default=True)]
    if kept:
        raise Declined(501, f"Not Implemented: {kept[0]}=false; logs, metrics and files go with their execution")


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
        asks=FILTERS,
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
        asks={"includeNonTerminated": bool, **_PARTS, **FILTERS},
        returns=shapes.Count,
        run=delete_executions_by_query,
    ),
)
