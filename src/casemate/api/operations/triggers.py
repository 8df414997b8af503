"""Operations on triggers that are scheduled: find one or many, switch, unlock, restart and delete one."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.deps import Deps
from casemate.api.errors import illegal_argument, illegal_state, not_found
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.api.search import FILTERS, LARGEST, SEARCH, filters, page
from casemate.api.tables import csv_of
from casemate.api.written import reread
from casemate.errors import Refused
from casemate.flows import trigger_to_json
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store import AllOf, AnyOf, Criterion, Filter, Page, StoredFlow, Tx
from casemate.store import flows as flow_rows
from casemate.store import triggers as rows
from casemate.triggers import Backfill, TriggerKey, TriggerState

_Name: TypeAlias = tuple[Namespace, FlowId]
_Declared: TypeAlias = dict[_Name, dict[str, dict[str, Any]]]
"""What flows say of their triggers, by ids."""

_SWITCH = shapes.TriggerSwitch
_DATES = {"NEXT_EXECUTION_DATE": "nextExecutionDate", "LAST_TRIGGERED_DATE": "lastTriggeredDate"}
_COLUMNS = (
    *("namespace", "flowId", "triggerId", "kind", "disabled", "locked", "nextEvaluationDate"),
    *("lastTriggeredDate", "evaluatedAt", "executionId", "updatedAt"),
)


async def search_triggers(call: Call) -> Answer:
    """Search triggers; `dateFilter` says which of their dates startDate and endDate are about."""
    found, total = await call.deps.db.read(rows.search, call.tenant, wanted(call), page(call))
    flows = await call.deps.db.read(_flows, call.tenant, {(one.namespace, one.flow_id) for one in found})
    declared = await to_thread(_declared, flows.values(), call.deps)
    return paged([{"trigger": _declaration(one, declared), "state": shown(one)} for one in found], total)


async def search_triggers_for_flow(call: Call) -> Answer:
    """List the triggers of a flow."""
    namespace, flow_id = call.flow
    of_flow = (Filter("namespace", "EQUALS", namespace), Filter("flowId", "EQUALS", flow_id))
    query = call.text("q")
    criteria = (*of_flow, *(() if query is None else (Filter("q", "EQUALS", query),)))
    found, total = await call.deps.db.read(rows.search, call.tenant, criteria, page(call))
    return paged([shown(one) for one in found], total)


async def export_triggers(call: Call) -> Answer:
    """Download the triggers that a search finds as a table."""
    return csv_of(_COLUMNS, [shown(one) for one in await found_by(call)], "triggers.csv")


async def disable_trigger_by_id(call: Call) -> Answer:
    """Switch a trigger off or on; with `recoverMissedSchedules` it makes up for the dates that it missed."""
    asked = await call.body_json(_SWITCH)
    recover = asked.get("recoverMissedSchedules") or False
    switch = call.deps.orchestrator.triggers.switch
    return shown(await switch(key_of(call, asked), disabled=asked["disabled"], recover=recover))


async def restart_trigger(call: Call) -> Answer:
    """Unlock a trigger, switch it on, and find out its next date anew."""
    return shown(await call.deps.orchestrator.triggers.restart(_named(call)))


async def unlock_trigger(call: Call) -> Answer:
    """Let a trigger be evaluated though its last execution is not over."""
    state = await call.deps.db.read(rows.get, _named(call))
    if state is None:
        raise _missing(call)
    if not state.locked:
        raise illegal_state("Trigger is not locked")
    return shown(await call.deps.orchestrator.triggers.unlock(state.key))


async def delete_trigger(call: Call) -> Answer:
    """Forget a trigger that its flow does not declare any more."""
    key = _named(call)
    state = await call.deps.db.read(rows.get, key)
    if state is None:
        raise _missing(call)
    if key not in await orphans(call, [state]):
        raise illegal_state(f"Trigger {state.trigger_id} cannot be deleted because the flow still declares it")
    await call.deps.orchestrator.triggers.delete(key)
    return None


async def orphans(call: Call, states: Iterable[TriggerState]) -> list[TriggerKey]:
    """Those of the triggers that their flows do not declare: nothing would ever start one that is declared again."""
    every = list(states)
    flows = await call.deps.db.read(_flows, call.tenant, {(one.namespace, one.flow_id) for one in every})
    declared = await to_thread(_declared, flows.values(), call.deps)
    return [one.key for one in every if _is_orphan(one, flows, declared)]


def _is_orphan(state: TriggerState, flows: Mapping[_Name, StoredFlow], declared: _Declared) -> bool:
    """A flow that cannot be read may well declare it."""
    name = (state.namespace, state.flow_id)
    return name not in flows or state.trigger_id not in declared.get(name, {state.trigger_id: {}})


async def found_by(call: Call, criteria: tuple[Criterion, ...] | None = None) -> list[TriggerState]:
    """The triggers that the query, or these criteria find."""
    return await call.deps.db.read(_every, call.tenant, filters(call) if criteria is None else criteria)


def wanted(call: Call) -> tuple[Criterion, ...]:
    """The criteria of a search, its dates about the date that `dateFilter` names."""
    name = call.text("dateFilter") or "NEXT_EXECUTION_DATE"
    if name not in _DATES:
        raise illegal_argument(f"dateFilter is {name[:100]!r}, it must be {' or '.join(_DATES)}")
    return tuple(_dated(each, _DATES[name]) for each in filters(call))


def _dated(criterion: Criterion, field: str) -> Criterion:
    match criterion:
        case Filter(field="startDate" | "endDate", op=op, value=value):
            return Filter(field, op, value)
        case AllOf(members=members):
            return AllOf(tuple(_dated(each, field) for each in members))
        case AnyOf(members=members):
            return AnyOf(tuple(_dated(each, field) for each in members))
    return criterion


def key_of(call: Call, name: Mapping[str, Any]) -> TriggerKey:
    """The trigger that a body names."""
    return call.tenant, Namespace(name["namespace"]), FlowId(name["flowId"]), str(name["triggerId"])


def shown(state: TriggerState) -> dict[str, object]:
    """What is remembered of a trigger, as Kestra's JSON."""
    values: dict[str, object] = {
        "namespace": state.namespace,
        "flowId": state.flow_id,
        "triggerId": state.trigger_id,
        "kind": state.kind,
        "disabled": state.disabled,
        "locked": state.locked,
        "updatedAt": state.updated,
        "evaluatedAt": state.evaluated,
        "nextEvaluationDate": state.next_date,
        "lastTriggeredDate": state.triggered,
        "executionId": state.execution_id,
        "stopAfter": list(state.stop_after) or None,
        "backfill": None if state.backfill is None else _backfill(state.backfill),
    }
    return {name: value for name, value in values.items() if value is not None}


def _backfill(backfill: Backfill) -> dict[str, object]:
    shown: dict[str, object] = {
        "start": backfill.start,
        "end": backfill.end,
        "currentDate": backfill.current,
        "paused": backfill.paused,
        "inputs": dict(backfill.inputs),
        "labels": [{"key": label.key, "value": label.value} for label in backfill.labels],
    }
    previous = backfill.previous_next
    return shown if previous is None else {**shown, "previousNextExecutionDate": previous}


def _named(call: Call) -> TriggerKey:
    return call.tenant, *call.flow, call.part("trigger_id")


def _missing(call: Call) -> Exception:
    namespace, flow_id = call.flow
    return not_found(f"Unable to find trigger {call.part('trigger_id')} for the flow {namespace}.{flow_id}")


def _every(tx: Tx, tenant: TenantId, criteria: tuple[Criterion, ...]) -> list[TriggerState]:
    found: list[TriggerState] = []
    total, number = 1, 0
    while len(found) < total:
        number += 1
        part, total = rows.search(tx, tenant, criteria, Page(number=number, size=LARGEST))
        found += part
        if not part:
            break
    return found


def _flows(tx: Tx, tenant: TenantId, names: Iterable[_Name]) -> dict[_Name, StoredFlow]:
    found = ((name, flow_rows.latest(tx, tenant, *name)) for name in names)
    return {name: flow for name, flow in found if flow is not None}


def _declared(flows: Iterable[StoredFlow], deps: Deps) -> _Declared:
    """What the flows say of their triggers; those that cannot be read any more are left out."""
    declared: _Declared = {}
    for stored in flows:
        with suppress(Refused):
            triggers = reread(stored, deps).triggers
            declared[stored.namespace, stored.id] = {one.id: trigger_to_json(one) for one in triggers}
    return declared


def _declaration(state: TriggerState, declared: _Declared) -> dict[str, Any]:
    known = declared.get((state.namespace, state.flow_id), {})
    return known.get(state.trigger_id, {"id": state.trigger_id, "type": "unknown"})


_TRIGGERS = "/api/v1/{tenant}/triggers"
_OF_FLOW = _TRIGGERS + "/{namespace}/{flow_id}"
_ONE = _OF_FLOW + "/{trigger_id}"
_LIST: Permission = ("TRIGGER", "LIST")

TABLE = (
    Operation(
        "GET",
        _TRIGGERS + "/search",
        can=_LIST,
        audit="trigger:list",
        asks={**SEARCH, "dateFilter": str},
        returns=shapes.TriggersFound,
        run=search_triggers,
    ),
    Operation(
        "GET",
        _OF_FLOW,
        can=_LIST,
        audit="trigger:list",
        asks={"page": int, "size": int, "sort": list, "q": str},
        returns=shapes.TriggerStates,
        run=search_triggers_for_flow,
    ),
    Operation(
        "GET",
        _TRIGGERS + "/export/by-query/csv",
        can=("TRIGGER", "EXPORT"),
        audit="trigger:export",
        asks=FILTERS,
        produces="text/csv",
        run=export_triggers,
    ),
    Operation(
        "PUT",
        _TRIGGERS + "/set-disabled",
        can=("TRIGGER", "DISABLE"),
        audit="trigger:disable",
        body=json_of(shapes.TriggerSwitch),
        returns=shapes.TriggerState,
        run=disable_trigger_by_id,
    ),
    Operation(
        "POST",
        _ONE + "/restart",
        can=("TRIGGER", "RESTART"),
        audit="trigger:restart",
        returns=shapes.TriggerState,
        run=restart_trigger,
    ),
    Operation(
        "POST",
        _ONE + "/unlock",
        can=("TRIGGER", "UNLOCK"),
        audit="trigger:unlock",
        returns=shapes.TriggerState,
        run=unlock_trigger,
    ),
    Operation("DELETE", _ONE, can=("TRIGGER", "DELETE"), audit="trigger:delete", status=204, run=delete_trigger),
)
