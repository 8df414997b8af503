"""Operations that show flows as graphs: the tasks of one, and which flows start which."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.deps import Deps
from casemate.api.errors import illegal_argument, not_found
from casemate.api.operation import FLOWS, Answer, Operation, Permission
from casemate.api.operations.flows import stored
from casemate.api.operations.triggers import shown
from casemate.api.written import checked_flow, reread
from casemate.catalog import Catalog, Role
from casemate.errors import Refused
from casemate.executions import Execution
from casemate.flows import FLOW_TRIGGER, FOR_EACH_ITEM, Flow, Graph, Link, Task, around, drawn, graph_to_json, links
from casemate.identifiers import ExecutionId, FlowId, Namespace, TenantId
from casemate.store import StoredFlow, Tx, executions, triggers
from casemate.store import flows as rows

MOST_EXPANDED = 50

_Name = tuple[Namespace, FlowId]


async def generate_flow_graph(call: Call) -> Answer:
    """Draw the tasks and triggers of a flow, subflows expanded where asked for; triggers with their state."""
    found = await stored(call, revision=call.number("revision"))
    graph = await _drawn(call, await to_thread(reread, found, call.deps))
    states = await call.deps.db.read(triggers.of_flow, call.tenant, found.namespace, found.id)
    known = {f"root.Triggers.{one.trigger_id}": shown(one) for one in states}
    return {**graph, "nodes": [_with_state(node, known) for node in graph["nodes"]]}


async def generate_flow_graph_from_source(call: Call) -> Answer:
    """Draw the flow of a source that is not stored."""
    return await _drawn(call, await checked_flow(await call.body_text(), call.deps, call.tenant))


async def flow_dependencies(call: Call) -> Answer:
    """Tell which flows a flow starts, and which start it."""
    found = await stored(call)
    every, _ = await _links(call)
    incoming, whole = call.flag("destinationOnly"), call.flag("expandAll")
    near = around(every, (found.namespace, found.id), incoming=incoming, whole=whole)
    return _topology(call.tenant, near, ())


async def flow_dependencies_from_namespace(call: Call) -> Answer:
    """Tell which flows start which in a namespace, and from and to it."""
    namespace, incoming = call.part("namespace"), call.flag("destinationOnly")
    every, names = await _links(call)
    near = [one for one in every if one.target[0] == namespace or (not incoming and one.source[0] == namespace)]
    return _topology(call.tenant, near, [name for name in names if name[0] == namespace])


def _with_state(node: dict[str, Any], known: Mapping[str, object]) -> dict[str, Any]:
    """A node; that of a trigger with what is remembered of it."""
    return {**node, "trigger": known[node["uid"]]} if node["uid"] in known else node


async def _drawn(call: Call, flow: Flow) -> dict[str, Any]:
    return graph_to_json(await graph_of(call, flow))


async def graph_of(call: Call, flow: Flow, execution: Execution | None = None) -> Graph:
    """The graph of a flow, with the subflows that the query names; those that an execution started need no fixed name.

    Raises 404 and 422 for what cannot be expanded.
    """
    wanted = frozenset(uid for text in call.texts("subflows") for uid in text.split(",") if uid)
    if len(wanted) > MOST_EXPANDED:
        raise illegal_argument(f"{len(wanted)} subflows are to be expanded, at most {MOST_EXPANDED} may be")
    return await call.deps.db.read(_graph, flow, _Expansion(call.deps, wanted, execution))


@dataclass(frozen=True, slots=True)
class _Expansion:
    """The subflows that are to be drawn in place of the tasks that start them."""

    deps: Deps
    wanted: frozenset[str]
    execution: Execution | None = None

    def flow(self, tx: Tx, tenant: TenantId, uid: str, task: Task) -> Flow | None:
        """The flow that a task starts, if it is to be drawn; raises 404 and 422."""
        if uid not in self.wanted:
            return None
        namespace, flow_id = (str(task.properties.get(name)) for name in ("namespace", "flowId"))
        if (found := self._started(tx, task)) is not None:
            return reread(found, self.deps)
        if "{{" in namespace + flow_id:
            dynamic = "because namespace and/or flowId contains dynamic values"
            raise illegal_argument(
                f"Can't expand subflow task '{task.id}' {dynamic}. This can only be viewed on an execution."
            )
        found = _called(tx, tenant, (Namespace(namespace), FlowId(flow_id)), task.properties.get("revision"))
        if found is None:
            raise not_found(f"Unable to find subflow {namespace}.{flow_id} for task {task.id}")
        return reread(found, self.deps)

    def _started(self, tx: Tx, task: Task) -> StoredFlow | None:
        """What the task has started in the execution."""
        if self.execution is None:
            return None
        runs = (run for run in self.execution.task_runs.values() if run.task_id == task.id)
        names = ((run.outputs or {}).get("executionId") for run in runs)
        started = (executions.get(tx, self.execution.tenant, ExecutionId(str(name))) for name in names if name)
        child = next((one for one in started if one is not None), None)
        if child is None:
            return None
        return rows.revision(tx, child.tenant, child.namespace, child.flow_id, child.flow_revision)


def _graph(tx: Tx, flow: Flow, expansion: _Expansion) -> Graph:
    return drawn(flow, lambda uid, task: expansion.flow(tx, flow.tenant, uid, task))


def _called(tx: Tx, tenant: TenantId, name: _Name, revision: object) -> StoredFlow | None:
    if isinstance(revision, int):
        return rows.revision(tx, tenant, *name, revision)
    return rows.latest(tx, tenant, *name)


async def _links(call: Call) -> tuple[list[Link], tuple[_Name, ...]]:
    """Every link between flows of the tenant, and the flows."""
    linking, names = await call.deps.db.read(_linking, call.tenant, _words(call.deps.catalog))
    return await to_thread(lambda: list(links(_readable(linking, call.deps), names))), names


def _linking(tx: Tx, tenant: TenantId, words: list[str]) -> tuple[tuple[StoredFlow, ...], tuple[_Name, ...]]:
    return rows.mentioning(tx, tenant, words), rows.names(tx, tenant)


def _words(catalog: Catalog) -> list[str]:
    """One of these stands in the source of every flow that is linked to another: only those are read as flows."""
    starting = [each for each in catalog.all() if each.role is Role.EXECUTABLE or each.type in _STARTING]
    return [name for each in starting for name in (each.type, *each.aliases)]


_STARTING = (FLOW_TRIGGER, FOR_EACH_ITEM)


def _readable(every: Iterable[StoredFlow], deps: Deps) -> Iterable[Flow]:
    for one in every:
        with suppress(Refused):
            yield reread(one, deps)


def _topology(tenant: TenantId, near: Iterable[Link], alone: Iterable[_Name]) -> dict[str, object]:
    edges = list(near)
    names = dict.fromkeys((*(end for one in edges for end in (one.source, one.target)), *alone))
    return {
        "nodes": [{"uid": _uid(tenant, name), "namespace": name[0], "id": name[1]} for name in names],
        "edges": [
            {"source": _uid(tenant, one.source), "target": _uid(tenant, one.target), "relation": one.kind}
            for one in edges
        ],
    }


def _uid(tenant: TenantId, name: _Name) -> str:
    return "_".join((tenant, *name))


_FLOW = "/api/v1/{tenant}/flows/{namespace}/{id}"
_VIEW: Permission = ("FLOW", "VIEW")

TABLE = (
    Operation(
        "GET",
        _FLOW + "/graph",
        can=_VIEW,
        audit="flow:view",
        asks={"revision": int, "subflows": list},
        returns=shapes.FlowGraph,
        run=generate_flow_graph,
    ),
    Operation(
        "POST",
        "/api/v1/{tenant}/flows/graph",
        can=_VIEW,
        audit="flow:view",
        body=FLOWS,
        asks={"subflows": list},
        returns=shapes.FlowGraph,
        run=generate_flow_graph_from_source,
    ),
    Operation(
        "GET",
        _FLOW + "/dependencies",
        can=_VIEW,
        audit="flow:view",
        asks={"destinationOnly": bool, "expandAll": bool},
        returns=shapes.Topology,
        run=flow_dependencies,
    ),
    Operation(
        "GET",
        "/api/v1/{tenant}/namespaces/{namespace}/dependencies",
        can=("FLOW", "LIST"),
        audit="flow:list",
        asks={"destinationOnly": bool},
        returns=shapes.Topology,
        run=flow_dependencies_from_namespace,
    ),
)
