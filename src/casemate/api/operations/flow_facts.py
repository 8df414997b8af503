"""Operations that tell about flows what editors and comparing tools ask."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.deps import Deps
from casemate.api.errors import illegal_argument
from casemate.api.operation import FLOWS, Answer, Operation, json_of
from casemate.api.operations.flows import TASK_PLACES, tasks_of
from casemate.catalog import Catalog, Kind, Manifest
from casemate.documents import examine, plain
from casemate.errors import Refused
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store import StoredFlow, Tx
from casemate.store import flows as rows

MOST_HASHES = 1000

_NAMES = list[shapes.FlowName]
_CONTEXT = (
    *("flow.id", "flow.namespace", "flow.revision", "execution.id", "execution.startDate", "execution.originalId"),
    *("task.id", "task.type", "taskrun.id", "taskrun.startDate", "taskrun.attemptsCount", "taskrun.value"),
    *("labels", "trigger", "globals", "envs"),
)
"""What templates of every flow see (spec/engine 6.1)."""


async def flow_hashes_by_ids(call: Call) -> Answer:
    """Give the hash of the source of each flow that is named, to compare servers; none where there is no such flow."""
    given = await call.body_json(_NAMES)
    if len(given) > MOST_HASHES:
        raise illegal_argument(f"{len(given)} flows are named, at most {MOST_HASHES} may be")
    return {"hashes": await call.deps.db.read(_hashes, call.tenant, given)}


async def list_deprecated(call: Call) -> Answer:
    """List the flows that use task types which are deprecated, or have another name now."""
    catalog = call.deps.catalog
    old = {name: each for each in catalog.all() if each.kind is Kind.TASK for name in _old_names(each)}
    found = await call.deps.db.read(rows.mentioning, call.tenant, list(old))
    namespace = call.text("namespace")
    within = [one for one in found if namespace in (None, one.namespace)]
    return await to_thread(lambda: [shown for one in within if (shown := _deprecated(one, old))["deprecatedTasks"]])


async def expressions(call: Call) -> Answer:
    """List what the templates of a flow may use, or those of one of its tasks. The flow may have mistakes."""
    reading = examine(await call.body_text())
    if reading.document is None:
        raise Refused(reading.problems)
    flow = plain(reading.document.root)
    return {"categories": _categories(flow if isinstance(flow, Mapping) else {}, call.text("taskId"), call.deps)}


def _hashes(tx: Tx, tenant: TenantId, names: list[shapes.FlowName]) -> list[dict[str, object]]:
    return [_hash(one, rows.latest(tx, tenant, Namespace(one["namespace"]), FlowId(one["id"]))) for one in names]


def _hash(name: shapes.FlowName, found: StoredFlow | None) -> dict[str, object]:
    digest = None if found is None else sha256(found.source.encode()).hexdigest()
    return {**name, "hash": digest, "revision": None if found is None else found.revision}


def _old_names(manifest: Manifest) -> tuple[str, ...]:
    return (*manifest.aliases, *((manifest.type,) if manifest.deprecated else ()))


def _deprecated(flow: StoredFlow, old: Mapping[str, Manifest]) -> dict[str, Any]:
    root = examine(flow.source).document
    tasks = _tasks(plain(root.root) if root is not None else {})
    named = [(task, old[str(task["type"])]) for task in tasks if task["type"] in old]
    told = [
        {"taskId": task["id"], "taskType": task["type"], "replacement": _replacement(str(task["type"]), manifest)}
        for task, manifest in named
    ]
    return {"namespace": flow.namespace, "flowId": flow.id, "revision": flow.revision, "deprecatedTasks": told}


def _replacement(written: str, manifest: Manifest) -> str | None:
    return manifest.replaced_by or (manifest.type if written != manifest.type else None)


def _tasks(flow: object) -> Iterator[Mapping[str, object]]:
    return tasks_of([flow.get(place) for place in TASK_PLACES] if isinstance(flow, Mapping) else [])


def _categories(flow: Mapping[str, Any], task: str | None, deps: Deps) -> dict[str, list[str]]:
    """By category. Names of secrets, keys and files are asked for where they are guarded, not here."""
    outputs = (name for each in _tasks(flow) if each["id"] != task for name in _outputs(each, deps.catalog))
    return {
        "taskOutputs": list(dict.fromkeys(outputs)),
        "executionContext": list(_CONTEXT),
        "inputs": [f"inputs.{name}" for name in _ids(flow.get("inputs"))],
        "variables": [f"vars.{name}" for name in flow["variables"]] if _is_map(flow.get("variables")) else [],
        "filters": list(deps.filters),
        "functions": list(deps.functions),
    }


def _outputs(task: Mapping[str, object], catalog: Catalog) -> list[str]:
    manifest = catalog.find(str(task["type"]))
    properties = manifest.outputs.get("properties") if manifest is not None else None
    owner = f"outputs.{task['id']}"
    return [f"{owner}.{name}" for name in properties] if isinstance(properties, Mapping) else [owner]


def _ids(items: object) -> Iterable[str]:
    return [each["id"] for each in items if _is_map(each) and "id" in each] if isinstance(items, list) else []


def _is_map(value: object) -> bool:
    return isinstance(value, Mapping)


_FLOWS = "/api/v1/{tenant}/flows"

TABLE = (
    Operation(
        "POST",
        _FLOWS + "/hashes/by-ids",
        can=("FLOW", "LIST"),
        audit="flow:list",
        body=json_of(list[shapes.FlowName]),
        returns=shapes.Hashes,
        run=flow_hashes_by_ids,
    ),
    Operation(
        "GET",
        _FLOWS + "/deprecated",
        can=("FLOW", "LIST"),
        audit="flow:list",
        asks={"namespace": str},
        returns=list[shapes.WithDeprecated],
        run=list_deprecated,
    ),
    Operation(
        "POST",
        _FLOWS + "/expressions",
        can=("FLOW", "VIEW"),
        audit="flow:view",
        body=FLOWS,
        asks={"taskId": str},
        returns=shapes.Expressions,
        run=expressions,
    ),
)
