"""Operations on the counters of quotas; the quotas themselves stand in flows and configuration (spec/isolation 9.1)."""

from __future__ import annotations

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument, not_found
from casemate.api.operation import Answer, Operation, json_of
from casemate.identifiers import FlowId, Namespace
from casemate.store import Counter, QuotaPlace
from casemate.store import quotas as rows

_RESET = shapes.QuotaResetAsked


async def search_quota_limits(call: Call) -> Answer:
    """List what was counted for the quotas of a tenant."""
    return [_shown(counter) for counter in await call.deps.db.read(rows.counters, call.tenant)]


async def reset_quota_limit(call: Call) -> Answer:
    """Begin to count anew for one quota."""
    asked = await call.body_json(_RESET)
    namespace, flow = asked.get("namespace"), asked.get("flowId")
    if flow and not namespace:
        raise illegal_argument("a flowId needs a namespace")
    place = QuotaPlace(
        tenant=call.tenant,
        namespace=Namespace(namespace) if namespace else None,
        flow=FlowId(flow) if flow else None,
    )
    if not await call.deps.db.transact(rows.reset, place, asked["id"]):
        raise not_found("Quota limit not found")
    return None


def _shown(counter: Counter) -> dict[str, object]:
    shown = {
        "tenantId": counter.place.tenant,
        "namespace": counter.place.namespace,
        "flowId": counter.place.flow,
        "id": counter.id,
        "start": counter.start,
        "count": counter.count,
    }
    return {name: value for name, value in shown.items() if value is not None}


_ALL = "/api/v1/{tenant}/quota-limits"

TABLE = (
    Operation(
        "GET",
        _ALL,
        can=("FLOW", "LIST"),
        audit="quota:list",
        returns=list[shapes.QuotaLimit],
        run=search_quota_limits,
    ),
    Operation(
        "POST",
        f"{_ALL}/reset",
        can=("INSTANCE", "UPDATE"),
        audit="quota:reset",
        body=json_of(_RESET),
        status=204,
        run=reset_quota_limit,
    ),
)
