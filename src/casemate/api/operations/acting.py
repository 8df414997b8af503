"""What operations that act on executions have in common."""

from __future__ import annotations

from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.executions import Execution, State
from casemate.flows import Flow
from casemate.orchestrator import Actions


def actions(call: Call) -> Actions:
    """What people can do with executions."""
    return call.deps.orchestrator.actions


async def flow_of(call: Call, execution: Execution, revision: int | None = None) -> Flow:
    """The flow of an execution, in the revision that ran unless another is named."""
    wanted = (execution.namespace, execution.flow_id, revision or execution.flow_revision)
    return await call.deps.orchestrator.flow_of(call.tenant, *wanted)


def state_of(text: str | None, name: str) -> State:
    """The state that a parameter of that name says; raises 422."""
    try:
        return State(text or "")
    except ValueError as error:
        raise illegal_argument(f"{name} is {text!r}, it must be a state like SUCCESS or FAILED") from error
