"""Operations on one flow: create, update, read, delete; its revisions and its tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from casemate.api import shapes
from casemate.api.call import Call, whole
from casemate.api.errors import illegal_argument, illegal_state, not_found
from casemate.api.operation import FLOWS, Answer, Operation
from casemate.api.written import checked_flow, described, described_all, same_name
from casemate.errors import Problem, Refused
from casemate.flows import Flow
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store import StoredFlow, Tx, executions
from casemate.store import flows as rows

TASK_PLACES = ("tasks", "errors", "finally", "afterExecution", "listeners")
"""Where a flow has tasks."""

_MOST_NUMBERS = 500


async def create_flow(call: Call) -> Answer:
    """Create a flow from its source."""
    flow = await checked_flow(await call.body_text(), call.deps, call.tenant)
    made = await call.deps.db.transact(_create, flow, call.deps.now())
    return described(made, call.deps, source=True)


async def update_flow(call: Call) -> Answer:
    """Replace a flow's source; a change makes a new revision."""
    await stored(call)
    flow = await checked_flow(await call.body_text(), call.deps, call.tenant)
    same_name(flow, *call.flow)
    saved = await call.deps.db.transact(rows.save, flow, call.deps.now())
    return described(saved, call.deps, source=True)


async def flow(call: Call) -> Answer:
    """Read a flow: its last revision, or the one asked for."""
    source, revision, allow_deleted = call.flag("source"), call.number("revision"), call.flag("allowDeleted")
    found = await stored(call, revision=revision, allow_deleted=allow_deleted)
    return described(found, call.deps, source=source)


async def delete_flow(call: Call) -> Answer:
    """Delete a flow: its last revision says so, the older ones stay."""
    gone = await call.deps.db.transact(rows.delete, call.tenant, *call.flow, call.deps.now())
    if gone is None:
        raise missing(call)
    return None


async def list_flow_revisions(call: Call) -> Answer:
    """List every revision of a flow, oldest first."""
    every = await call.deps.db.read(rows.revisions, call.tenant, *call.flow)
    if not every:
        raise missing(call)
    shown = [one for one in every if not one.deleted or call.flag("allowDelete")]
    return await described_all(shown, call.deps, source=True)


async def delete_revisions(call: Call) -> Answer:
    """Delete old revisions for good: not the last one, nor one that an execution still runs."""
    numbers = sorted({number for text in call.texts("revisions") for number in _numbers(text)})
    if not numbers:
        raise illegal_argument("revisions: must not be empty")
    if len(numbers) > _MOST_NUMBERS:
        raise illegal_argument(f"{len(numbers)} revisions are named, at most {_MOST_NUMBERS} may be")
    await call.deps.db.transact(_delete_revisions, call.tenant, *call.flow, numbers)
    return None


def _numbers(text: str) -> list[int]:
    found = [whole(each) for each in text.split(",")]
    if any(number is None or number < 1 for number in found):
        raise illegal_argument(f"revisions: {text[:100]!r} is not a list of numbers from 1 on")
    return [number for number in found if number is not None]


def _delete_revisions(tx: Tx, tenant: TenantId, namespace: Namespace, flow_id: FlowId, numbers: list[int]) -> None:
    last = rows.latest(tx, tenant, namespace, flow_id)
    if last is None:
        raise flow_missing(namespace, flow_id)
    if last.revision in numbers:
        raise illegal_state(f"revision {last.revision} is the last one: delete the flow, or save it anew first")
    if busy := sorted(executions.open_revisions(tx, tenant, namespace, flow_id) & set(numbers)):
        raise illegal_state(f"executions still run revision {', '.join(map(str, busy))}")
    rows.delete_revisions(tx, tenant, namespace, flow_id, numbers)


async def task_from_flow(call: Call) -> Answer:
    """Read one task of a flow, wherever it stands."""
    shown = described(await stored(call, revision=call.number("revision")), call.deps)
    wanted = call.part("task_id")
    for task in tasks_of([shown.get(place) for place in TASK_PLACES]):
        if task["id"] == wanted:
            return task
    raise not_found(f"task {wanted}")


async def stored(call: Call, *, revision: int | None = None, allow_deleted: bool = False) -> StoredFlow:
    """The flow that the path names; raises 404. A revision that is asked for may belong to a deleted flow."""
    found = await call.deps.db.read(_find, call.tenant, *call.flow, revision, allow_deleted)
    if found is None:
        raise missing(call)
    return found


def _find(
    tx: Tx, tenant: TenantId, namespace: Namespace, flow_id: FlowId, revision: int | None, allow_deleted: bool
) -> StoredFlow | None:
    if revision is None:
        every = rows.revisions(tx, tenant, namespace, flow_id) if allow_deleted else ()
        return every[-1] if every else rows.latest(tx, tenant, namespace, flow_id)
    found = rows.revision(tx, tenant, namespace, flow_id, revision)
    return found if found is None or allow_deleted or not found.deleted else None


def missing(call: Call) -> Exception:
    """The refusal for a flow that does not exist."""
    return flow_missing(*call.flow)


def flow_missing(namespace: Namespace, flow_id: FlowId) -> Exception:
    """The same for a flow that is named elsewhere."""
    return not_found(f"flow {namespace}.{flow_id}")


def tasks_of(value: object) -> Iterator[Mapping[str, object]]:
    """Every task in a part of a flow's JSON, parents first."""
    if isinstance(value, Mapping):
        if "id" in value and "type" in value:
            yield value
        for inner in value.values():
            yield from tasks_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from tasks_of(inner)


def _create(tx: Tx, new: Flow, now: datetime) -> StoredFlow:
    if rows.latest(tx, new.tenant, new.namespace, new.id) is not None:
        raise Refused([Problem(code="flow-exists", message="Flow id already exists", path="flow.id")])
    return rows.save(tx, new, now)


_FLOWS = "/api/v1/{tenant}/flows"
_FLOW = _FLOWS + "/{namespace}/{id}"

TABLE = (
    Operation(
        "POST",
        _FLOWS,
        can=("FLOW", "CREATE"),
        audit="flow:create",
        body=FLOWS,
        returns=shapes.Flow,
        run=create_flow,
    ),
    Operation(
        "PUT",
        _FLOW,
        can=("FLOW", "UPDATE"),
        audit="flow:update",
        body=FLOWS,
        returns=shapes.Flow,
        run=update_flow,
    ),
    Operation(
        "GET",
        _FLOW,
        can=("FLOW", "VIEW"),
        audit="flow:view",
        asks={"source": bool, "revision": int, "allowDeleted": bool},
        returns=shapes.Flow,
        run=flow,
    ),
    Operation("DELETE", _FLOW, can=("FLOW", "DELETE"), audit="flow:delete", status=204, run=delete_flow),
    Operation(
        "GET",
        _FLOW + "/revisions",
        can=("FLOW", "VIEW"),
        audit="flow:view",
        asks={"allowDelete": bool},
        returns=list[shapes.Flow],
        run=list_flow_revisions,
    ),
    Operation(
        "DELETE",
        _FLOW + "/revisions",
        can=("FLOW", "DELETE"),
        audit="flow:delete",
        asks={"revisions": list},
        status=204,
        run=delete_revisions,
    ),
    Operation(
        "GET",
        _FLOW + "/tasks/{task_id}",
        can=("FLOW", "VIEW"),
        audit="flow:view",
        asks={"revision": int},
        returns=dict[str, object],
        run=task_from_flow,
    ),
)
