"""Operations on maintenance mode: nothing new begins, what is at work ends (spec/isolation 9.3)."""

from __future__ import annotations

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.operation import Answer, Operation, Permission
from casemate.orchestrator import MaintenanceStatus

_IN_ONE_PROCESS = ("EXECUTOR", "INDEXER", "SCHEDULER", "WEBSERVER")


async def enter_maintenance(call: Call) -> Answer:
    """Let nothing new begin until maintenance is left."""
    await call.deps.orchestrator.controls.enter_maintenance()
    return await maintenance_status(call)


async def exit_maintenance(call: Call) -> Answer:
    """Let everything that waits begin."""
    await call.deps.orchestrator.controls.leave_maintenance()
    return await maintenance_status(call)


async def maintenance_status(call: Call) -> Answer:
    """Tell whether the instance is in maintenance, and which services have nothing left to do."""
    status = await call.deps.orchestrator.controls.maintenance()
    return {"maintenance": status.on, "ready": status.ready, "services": _services(status)}


def _services(status: MaintenanceStatus) -> dict[str, object]:
    others = {name: {"total": 1, "inMaintenance": int(status.on)} for name in _IN_ONE_PROCESS}
    still = status.still if status.on else 0
    return {**others, "WORKER": {"total": status.workers, "inMaintenance": still}}


_ALL = "/api/v1/instance/maintenance"
_MAY: Permission = ("INSTANCE", "UPDATE")

TABLE = (
    Operation(
        "POST",
        f"{_ALL}/enter",
        can=_MAY,
        audit="maintenance:enter",
        returns=shapes.Maintenance,
        run=enter_maintenance,
    ),
    Operation(
        "POST",
        f"{_ALL}/exit",
        can=_MAY,
        audit="maintenance:exit",
        returns=shapes.Maintenance,
        run=exit_maintenance,
    ),
    Operation(
        "GET",
        f"{_ALL}/status",
        can=("INSTANCE", "VIEW"),
        audit="maintenance:view",
        returns=shapes.Maintenance,
        run=maintenance_status,
    ),
)
