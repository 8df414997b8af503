"""Operations on many flows at once; each is one transaction, so that it happens to all of them or to none."""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import replace
from datetime import datetime

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.deps import Deps
from casemate.api.operation import FLOWS, Action, Answer, Operation, Run, Verb, json_of
from casemate.api.operations.flow_search import every_flow
from casemate.api.search import FILTERS, filters
from casemate.api.sources import disabled, moved
from casemate.api.written import described_all, flow_of
from casemate.errors import Problem, Refused
from casemate.flows import Flow, split_documents
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store import Filter, StoredFlow, Tx
from casemate.store import flows as rows

Name = tuple[Namespace, FlowId]

_NAMES = list[shapes.FlowName]


async def bulk_update_flows(call: Call) -> Answer:
    """Create or update many flows; with `delete`, remove those of the namespace that are not among them."""
    namespace = call.text("namespace")
    operation = "PREFIX" if call.flag("allowNamespaceChild") else "EQUALS"
    within = Filter("namespace", operation, namespace) if namespace and call.flag("delete", default=True) else None
    return await _replaced(call, await to_thread(_written, await call.body_text(), call), within)


async def update_flows_in_namespace(call: Call) -> Answer:
    """Create or update the flows of one namespace; with `delete`, remove its other ones."""
    namespace = call.part("namespace")
    within = Filter("namespace", "EQUALS", namespace) if call.flag("delete", default=True) else None
    new = await to_thread(_written, await call.body_text(), call, namespace if call.flag("override") else None)
    elsewhere = [flow for flow in new if flow.namespace != namespace]
    if elsewhere:
        raise Refused(_elsewhere(flow, namespace) for flow in elsewhere)
    return await _replaced(call, new, within)


async def delete_flows_by_ids(call: Call) -> Answer:
    """Delete the flows that are named."""
    return await _deleted(call, await _named(call))


async def delete_flows_by_query(call: Call) -> Answer:
    """Delete the flows that a search finds."""
    return await _deleted(call, await _found(call))


async def disable_flows_by_ids(call: Call) -> Answer:
    """Disable the flows that are named."""
    return await _switched(call, await _named(call), off=True)


async def disable_flows_by_query(call: Call) -> Answer:
    """Disable the flows that a search finds."""
    return await _switched(call, await _found(call), off=True)


async def enable_flows_by_ids(call: Call) -> Answer:
    """Enable the flows that are named."""
    return await _switched(call, await _named(call), off=False)


async def enable_flows_by_query(call: Call) -> Answer:
    """Enable the flows that a search finds."""
    return await _switched(call, await _found(call), off=False)


async def _replaced(call: Call, new: list[Flow], within: Filter | None) -> Answer:
    saved = await call.deps.db.transact(_replace, call.tenant, new, within, call.deps.now())
    return await described_all(saved, call.deps, source=True)


def _replace(tx: Tx, tenant: TenantId, new: list[Flow], within: Filter | None, now: datetime) -> list[StoredFlow]:
    kept = {(flow.namespace, flow.id) for flow in new}
    others = every_flow(tx, tenant, (within,)) if within is not None else []
    for flow in others:
        if (flow.namespace, flow.id) not in kept:
            rows.delete(tx, tenant, flow.namespace, flow.id, now)
    return [rows.save(tx, flow, now) for flow in new]


def _written(text: str, call: Call, move_to: str | None = None) -> list[Flow]:
    """The flows of a text with several documents; raises `Refused` with the problems of all of them."""
    flows: list[Flow] = []
    problems: list[Problem] = []
    for line, document in split_documents(text):
        try:
            source = document.lstrip("\n") if move_to is None else moved(document.lstrip("\n"), move_to)
            flows.append(flow_of(source, call.deps, call.tenant))
        except Refused as refusal:
            skipped = line + len(document) - len(document.lstrip("\n"))
            problems += (replace(one, line=one.line + skipped) if one.line else one for one in refusal.problems)
    if problems:
        raise Refused(problems)
    return flows


def _elsewhere(flow: Flow, namespace: str) -> Problem:
    message = f"Invalid namespace '{flow.namespace}' of flow '{flow.id}', expected '{namespace}'"
    return Problem(code="flow-elsewhere", message=message, path="flow.namespace")


async def _named(call: Call) -> list[Name]:
    return [(Namespace(one["namespace"]), FlowId(one["id"])) for one in await call.body_json(_NAMES)]


async def _found(call: Call) -> list[Name]:
    found = await call.deps.db.read(every_flow, call.tenant, filters(call))
    return [(flow.namespace, flow.id) for flow in found]


async def _deleted(call: Call, names: list[Name]) -> Answer:
    return {"count": await call.deps.db.transact(_delete, call.tenant, names, call.deps.now())}


def _delete(tx: Tx, tenant: TenantId, names: list[Name], now: datetime) -> int:
    return sum(rows.delete(tx, tenant, *name, now) is not None for name in names)


async def _switched(call: Call, names: list[Name], *, off: bool) -> Answer:
    return {"count": await call.deps.db.transact(_switch, call.deps, call.tenant, names, off)}


def _switch(tx: Tx, deps: Deps, tenant: TenantId, names: list[Name], off: bool) -> int:
    found = (rows.latest(tx, tenant, *name) for name in names)
    others = [flow for flow in found if flow is not None and flow.disabled != off]
    for flow in others:
        rows.save(tx, flow_of(disabled(flow.source, value=off), deps, tenant), deps.now())
    return len(others)


_FLOWS = "/api/v1/{tenant}/flows"


def _by_ids(verb: Verb, word: Action, run: Run) -> Operation:
    path = f"{_FLOWS}/{word.lower()}/by-ids"
    body = json_of(list[shapes.FlowName])
    return Operation(
        verb, path, can=("FLOW", word), audit=f"flow:{word.lower()}", body=body, returns=shapes.Count, run=run
    )


def _by_query(verb: Verb, word: Action, run: Run) -> Operation:
    path = f"{_FLOWS}/{word.lower()}/by-query"
    return Operation(
        verb, path, can=("FLOW", word), audit=f"flow:{word.lower()}", asks=FILTERS, returns=shapes.Count, run=run
    )


TABLE = (
    Operation(
        "POST",
        _FLOWS + "/bulk",
        can=("FLOW", "UPDATE"),
        audit="flow:update",
        body=FLOWS,
        asks={"delete": bool, "namespace": str, "allowNamespaceChild": bool},
        returns=list[shapes.Flow],
        run=bulk_update_flows,
    ),
    Operation(
        "POST",
        _FLOWS + "/{namespace}",
        can=("FLOW", "UPDATE"),
        audit="flow:update",
        body=FLOWS,
        asks={"delete": bool, "override": bool},
        returns=list[shapes.Flow],
        run=update_flows_in_namespace,
    ),
    _by_ids("DELETE", "DELETE", delete_flows_by_ids),
    _by_query("DELETE", "DELETE", delete_flows_by_query),
    _by_ids("POST", "DISABLE", disable_flows_by_ids),
    _by_query("POST", "DISABLE", disable_flows_by_query),
    _by_ids("POST", "ENABLE", enable_flows_by_ids),
    _by_query("POST", "ENABLE", enable_flows_by_query),
)
