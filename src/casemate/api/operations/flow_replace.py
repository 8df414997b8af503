"""Operations that replace words in the sources of flows, after showing what would become of them."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable
from typing import Any

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.deps import Deps
from casemate.api.errors import constraints, illegal_argument, illegal_state
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.api.operations.flow_search import editable, every_flow
from casemate.api.operations.flows import flow_missing
from casemate.api.replacing import Changed, changes, with_changes
from casemate.api.sources import Wanted
from casemate.api.written import described, described_all, flow_of, same_name
from casemate.errors import Refused
from casemate.flows import Flow
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store import Filter, StoredFlow, Tx
from casemate.store import flows as rows

_PREVIEW = shapes.ReplacePreview
_APPLY = shapes.ReplaceApply
_LINE = shapes.ReplaceLine

MOST = 1000
"""How many flows may be changed at once."""
LARGEST = 32 << 20
"""How many characters of sources and lines one request may be about: all of it is in memory at once."""


async def preview_replace_by_source_code(call: Call) -> Answer:
    """Show which lines would change, and how; nothing is changed."""
    asked = await call.body_json(_PREVIEW)
    namespace = asked.get("namespace")
    within = (Filter("namespace", "PREFIX", namespace),) if namespace else ()
    candidates = await call.deps.db.read(every_flow, call.tenant, within)
    return await to_thread(_previewed, candidates, _wanted(asked), asked["replacement"])


async def apply_replace_by_source_code(call: Call) -> Answer:
    """Replace every match in the flows that are named; what cannot be changed is told with the reason."""
    asked = await call.body_json(_APPLY)
    if not 1 <= len(asked["flows"]) <= MOST:
        raise illegal_argument(f"flows: between 1 and {MOST} may be named")
    names = [(Namespace(one["namespace"]), FlowId(one["id"])) for one in asked["flows"]]
    found = await call.deps.db.read(_read, call.tenant, names)
    judged = await to_thread(_judged, found, _wanted(asked), asked["replacement"], call.deps)
    saved, late = await call.deps.db.transact(_save, [one for one in judged if not isinstance(one, dict)], call.deps)
    skipped = [one for one in judged if isinstance(one, dict)] + late
    return {"updated": await described_all(saved, call.deps, source=True), "skipped": skipped}


async def replace_line_by_source_code(call: Call) -> Answer:
    """Replace the matches in one line of a flow, or in all, or the one at a column."""
    asked = await call.body_json(_LINE)
    name = (Namespace(asked["namespace"]), FlowId(asked["id"]))
    found = await call.deps.db.read(rows.latest, call.tenant, *name)
    if found is None:
        raise flow_missing(*name)
    if not editable(found):
        raise illegal_state("the flow is read-only")
    changed = await to_thread(changes, found.source, _wanted(asked), asked["replacement"], asked.get("column"))
    lines = tuple(one for one in changed if one.line == asked.get("line", one.line))
    if not lines:
        raise illegal_argument("nothing matches there")
    new = await to_thread(_changed, found, lines, call.deps)
    saved, _ = await call.deps.db.transact(_save, [(found, new)], call.deps)
    if not saved:
        raise illegal_state("someone else changed it meanwhile, try again")
    return described(saved[0], call.deps, source=True)


def _wanted(asked: Any) -> Wanted:
    if not asked["query"]:
        raise illegal_argument("query: must not be empty")
    return Wanted(
        asked["query"],
        case_sensitive=asked.get("caseSensitive") or False,
        whole_word=asked.get("wholeWord") or False,
        regex=asked.get("regex") or False,
        scope=asked.get("scope") or "ALL",
    )


def _previewed(candidates: Iterable[StoredFlow], wanted: Wanted, replacement: str) -> Answer:
    found, taken = [], 0
    for flow in candidates:
        if changed := changes(flow.source, wanted, replacement):
            taken = _with(taken, sum(len(one.before) + len(one.after) for one in changed))
            found.append((flow, changed))
    return {
        "totalMatches": sum(len(changed) for _, changed in found),
        "totalFlows": len(found),
        "editableFlowCount": sum(editable(one) for one, _ in found),
        "flows": [_shown(one, changed) for one, changed in found],
    }


def _with(taken: int, more: int) -> int:
    if taken + more > LARGEST:
        raise illegal_argument(f"this is about more than {LARGEST} characters: narrow it to fewer flows")
    return taken + more


def _shown(flow: StoredFlow, changed: tuple[Changed, ...]) -> dict[str, object]:
    lines = [{"line": one.line, "before": one.before, "after": one.after} for one in changed]
    return {"namespace": flow.namespace, "id": flow.id, "editable": editable(flow), "matches": lines}


_Name = tuple[Namespace, FlowId]
_Change = tuple[StoredFlow, Flow]


def _read(tx: Tx, tenant: TenantId, names: Iterable[_Name]) -> list[tuple[_Name, StoredFlow | None]]:
    return [(name, rows.latest(tx, tenant, *name)) for name in dict.fromkeys(names)]


def _judged(
    found: Iterable[tuple[_Name, StoredFlow | None]], wanted: Wanted, replacement: str, deps: Deps
) -> list[_Change | dict[str, object]]:
    """Each flow with what would become of it, or why it stays as it is."""
    judged, taken = [], 0
    for name, flow in found:
        one = _judge(name, flow, wanted, replacement, deps)
        taken = _with(taken, 0 if isinstance(one, dict) else len(one[1].source))
        judged.append(one)
    return judged


def _judge(
    name: _Name, flow: StoredFlow | None, wanted: Wanted, replacement: str, deps: Deps
) -> _Change | dict[str, object]:
    if flow is None:
        return _skipped(name, "NOT_FOUND")
    if not editable(flow):
        return _skipped(name, "READ_ONLY")
    changed = changes(flow.source, wanted, replacement)
    if not changed:
        return _skipped(name, "NO_MATCH")
    if all(one.before == one.after for one in changed):
        return _skipped(name, "NO_CHANGE")
    try:
        return flow, _changed(flow, changed, deps)
    except Refused as refusal:
        return {**_skipped(name, "INVALID_FLOW"), "message": constraints(refusal.problems)}


def _changed(flow: StoredFlow, changed: tuple[Changed, ...], deps: Deps) -> Flow:
    new = flow_of(with_changes(flow.source, changed), deps, flow.tenant)
    same_name(new, flow.namespace, flow.id)
    return new


def _skipped(name: _Name, reason: str) -> dict[str, object]:
    return {"namespace": name[0], "id": name[1], "reason": reason}


def _save(tx: Tx, new: list[_Change], deps: Deps) -> tuple[list[StoredFlow], list[dict[str, object]]]:
    """Adds the revisions, except to flows that someone else has changed since they were read."""
    saved: list[StoredFlow] = []
    late: list[dict[str, object]] = []
    for before, flow in new:
        name = (before.namespace, before.id)
        if rows.latest(tx, before.tenant, *name) == before:
            saved.append(rows.save(tx, flow, deps.now()))
        else:
            late.append({**_skipped(name, "UNKNOWN"), "message": "someone else changed it meanwhile"})
    return saved, late


_REPLACE = "/api/v1/{tenant}/flows/source/replace"
_UPDATE: Permission = ("FLOW", "UPDATE")

TABLE = (
    Operation(
        "POST",
        _REPLACE + "/preview",
        can=("FLOW", "LIST"),
        audit="flow:list",
        body=json_of(shapes.ReplacePreview),
        returns=shapes.ReplacePreviewed,
        run=preview_replace_by_source_code,
    ),
    Operation(
        "POST",
        _REPLACE + "/apply",
        can=_UPDATE,
        audit="flow:update",
        body=json_of(shapes.ReplaceApply),
        returns=shapes.ReplaceApplied,
        run=apply_replace_by_source_code,
    ),
    Operation(
        "POST",
        _REPLACE + "/line",
        can=_UPDATE,
        audit="flow:update",
        body=json_of(shapes.ReplaceLine),
        returns=shapes.Flow,
        run=replace_line_by_source_code,
    ),
)
