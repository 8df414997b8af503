"""Operations on kill switches: what shall not go on, from when to when (spec/isolation 9.2)."""

from __future__ import annotations

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument, not_found
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.executions import KillSwitch
from casemate.identifiers import ExecutionId, FlowId, Namespace, TenantId
from casemate.orchestrator import new_id
from casemate.store import kill_switches as rows

_ASKED = shapes.KillSwitchAsked


async def create_kill_switch(call: Call) -> Answer:
    """Make a kill switch; what it is for obeys at once."""
    switch = _wanted(await call.body_json(_ASKED), new_id())
    await call.deps.orchestrator.controls.add(switch)
    return _shown(switch)


async def update_kill_switch(call: Call) -> Answer:
    """Replace a kill switch; what it no longer ignores goes on."""
    switch = _wanted(await call.body_json(_ASKED), call.part("id"))
    if not await call.deps.orchestrator.controls.replace(switch):
        raise not_found(f"kill switch {call.part('id')[:100]}")
    return _shown(switch)


async def delete_kill_switch(call: Call) -> Answer:
    """Take a kill switch away; what it has stopped stays so."""
    if not await call.deps.orchestrator.controls.delete(call.part("id")):
        raise not_found(f"kill switch {call.part('id')[:100]}")
    return None


async def search_kill_switches(call: Call) -> Answer:
    """List the kill switches of the instance, by name."""
    return [_shown(switch) for switch in await call.deps.db.read(rows.all_of_instance)]


def _wanted(asked: shapes.KillSwitchAsked, identifier: str) -> KillSwitch:
    tenant, namespace, flow = asked.get("tenantId"), asked.get("namespace"), asked.get("flowId")
    end, enabled = asked.get("endDate"), asked.get("enabled")
    if (namespace and not tenant) or (flow and not namespace):
        raise illegal_argument("a namespace needs a tenantId, and a flowId needs a tenantId and a namespace")
    if end is not None and end <= asked["startDate"]:
        raise illegal_argument("endDate must be after startDate")
    if asked.get("immediate") and asked["evaluationType"] != "KILL":
        raise illegal_argument("only a kill switch that KILLs can be immediate")
    return KillSwitch(
        id=identifier,
        name=asked["name"],
        evaluation=asked["evaluationType"],
        start=asked["startDate"],
        end=end,
        tenant=TenantId(tenant) if tenant else None,
        namespace=Namespace(namespace) if namespace else None,
        flow=FlowId(flow) if flow else None,
        executions=frozenset(map(ExecutionId, asked.get("executionIds") or ())),
        description=asked.get("description"),
        enabled=True if enabled is None else enabled,
        immediate=asked.get("immediate") or False,
    )


def _shown(switch: KillSwitch) -> dict[str, object]:
    shown = {
        "id": switch.id,
        "name": switch.name,
        "evaluationType": switch.evaluation,
        "startDate": switch.start,
        "endDate": switch.end,
        "tenantId": switch.tenant,
        "namespace": switch.namespace,
        "flowId": switch.flow,
        "executionIds": sorted(switch.executions),
        "description": switch.description,
        "enabled": switch.enabled,
        "deleted": False,
        "immediate": switch.immediate,
    }
    return {name: value for name, value in shown.items() if value is not None}


_ALL = "/api/v1/kill-switches"
_MAY: Permission = ("INSTANCE", "UPDATE")

TABLE = (
    Operation(
        "POST",
        _ALL,
        can=_MAY,
        audit="kill-switch:create",
        body=json_of(_ASKED),
        returns=shapes.KillSwitch,
        run=create_kill_switch,
    ),
    Operation(
        "GET",
        f"{_ALL}/search",
        can=_MAY,
        audit="kill-switch:list",
        returns=list[shapes.KillSwitch],
        run=search_kill_switches,
    ),
    Operation(
        "PUT",
        f"{_ALL}/{{id}}",
        can=_MAY,
        audit="kill-switch:update",
        body=json_of(_ASKED),
        returns=shapes.KillSwitch,
        run=update_kill_switch,
    ),
    Operation("DELETE", f"{_ALL}/{{id}}", can=_MAY, audit="kill-switch:delete", status=204, run=delete_kill_switch),
)
