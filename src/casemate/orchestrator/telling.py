"""Messages about executions: what a task run asks for, the end of what it started, and every new state."""

from __future__ import annotations

from casemate.executions import Call, Caller, Execution, State
from casemate.identifiers import ExecutionId, TaskRunId, TenantId
from casemate.orchestrator.items import Key
from casemate.storage import paths
from casemate.store.outbox import Message

CHANGED = "changed"
"""The kind of message that says that an execution has come to another state."""


def asking(execution: Execution, call: Call) -> dict[str, object]:
    """A task run of an execution asks."""
    return _body(execution.tenant, execution.id, call)


def end_of(execution: Execution, caller: Caller, state: State | None = None) -> dict[str, object]:
    """An execution has ended; `state` is given for one that does not come to an end by itself."""
    body = _body(execution.tenant, caller.execution, caller.call)
    return {**body, "subflow": execution.id, "state": (state or execution.state).value}


def change_of(execution: Execution, entry: int) -> dict[str, object]:
    """An execution has come to another state, the one of that entry of its history."""
    return {"tenant": execution.tenant, "execution": execution.id, "entry": entry}


def key_in(message: Message) -> Key:
    """The execution that a message is for."""
    return TenantId(message.body["tenant"]), ExecutionId(message.body["execution"])


def call_in(message: Message) -> Call:
    """The call that a message is about."""
    body = message.body
    return Call(TaskRunId(body["task_run"]), body["attempt"], body["number"])


def outputs_folder(execution: Execution, call: Call) -> str:
    """Where the outputs of the executions are kept that an attempt of a ForEachItem has started."""
    run = execution.task_runs[call.task_run]
    place = (execution.namespace, execution.flow_id, execution.id, run.task_id, run.id)
    return f"{paths.task_folder(*place)}/attempt-{call.attempt}"


def _body(tenant: TenantId, execution: ExecutionId, call: Call) -> dict[str, object]:
    place = {"tenant": tenant, "execution": execution}
    return {**place, "task_run": call.task_run, "attempt": call.attempt, "number": call.number}
