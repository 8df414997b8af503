"""Operations that read executions: one, those that a search finds, their flows and their outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from casemate.api import large, shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument, not_found
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.api.operations.flows import stored
from casemate.api.search import OLD_FILTERS, SEARCH, filters, page
from casemate.api.written import described
from casemate.executions import Execution
from casemate.identifiers import ExecutionId, TenantId
from casemate.orchestrator import NotFound
from casemate.store import Filter, Page, StoredFlow, Tx
from casemate.store import executions as rows
from casemate.store import flows as flow_rows

MOST_AT_ONCE = 1000
"""The most things that one request may name."""

_NAMES = list[shapes.FlowName]


async def execution(call: Call) -> Answer:
    """Read one execution with its task runs."""
    return await large.one(await named(call))


async def search_executions(call: Call) -> Answer:
    """Search executions, newest first."""
    found, total = await call.deps.db.read(rows.search, call.tenant, filters(call), page(call))
    return await large.page_of(found, total)


async def search_executions_by_flow_id(call: Call) -> Answer:
    """List the executions of one flow, newest first."""
    namespace, flow_id = call.text("namespace"), call.text("flowId")
    if namespace is None or flow_id is None:
        raise illegal_argument("namespace and flowId are required")
    wanted = of_flow(namespace, flow_id)
    found, total = await call.deps.db.read(rows.search, call.tenant, wanted, page(call))
    return await large.page_of(found, total)


async def latest_executions(call: Call) -> Answer:
    """Read the newest execution of each of these flows."""
    names = await call.body_json(_NAMES)
    if len(names) > MOST_AT_ONCE:
        raise illegal_argument(f"{len(names)} flows are asked for, at most {MOST_AT_ONCE} may be")
    return [_latest(one) for one in await call.deps.db.read(_newest, call.tenant, names)]


async def flow_from_execution(call: Call) -> Answer:
    """Read a flow as those see it who may only run it."""
    return for_execution(await stored(call, revision=call.number("revision")), call)


async def flow_from_execution_by_id(call: Call) -> Answer:
    """Read the flow of an execution, in the revision that ran."""
    found = await named(call)
    revision = (found.namespace, found.flow_id, found.flow_revision)
    flow = await call.deps.db.read(flow_rows.revision, call.tenant, *revision)
    if flow is None:
        raise not_found(f"flow {found.namespace}.{found.flow_id}")
    return for_execution(flow, call)


async def execution_outputs(call: Call) -> Answer:
    """Read the outputs of an execution; none are an empty map."""
    return (await named(call)).outputs or {}


async def task_outputs_information(call: Call) -> Answer:
    """List the task runs of an execution that have outputs."""
    runs = (await named(call)).task_runs.values()
    with_outputs = (run for run in runs if run.outputs)
    shown = (
        {
            "taskId": run.task_id,
            "taskRunId": run.id,
            "value": run.value,
            "iteration": run.iteration,
            "inline": True,
        }
        for run in with_outputs
    )
    return [{name: value for name, value in one.items() if value is not None} for one in shown]


async def task_run_outputs(call: Call) -> Answer:
    """Read the outputs of one task run; none are an empty map."""
    runs = (await named(call)).task_runs
    run = next((run for key, run in runs.items() if key == call.part("task_run_id")), None)
    if run is None:
        raise not_found(f"task run {call.part('task_run_id')}")
    return run.outputs or {}


async def named(call: Call) -> Execution:
    """The execution that the path names; raises 404."""
    wanted = ExecutionId(call.part("execution_id"))
    try:
        found = await call.deps.orchestrator.get(call.tenant, wanted)
    except NotFound as missing:
        raise not_found(f"execution {wanted}") from missing
    if found.deleted:
        raise not_found(f"execution {wanted}")
    return found


def of_flow(namespace: str, flow_id: str) -> tuple[Filter, ...]:
    """The filters that find the executions of a flow."""
    return Filter("namespace", "EQUALS", namespace), Filter("flowId", "EQUALS", flow_id)


def for_execution(flow: StoredFlow, call: Call) -> dict[str, object]:
    """A flow without what its tasks and triggers do."""
    shown = described(flow, call.deps)
    hidden = {name: _outline(shown[name]) for name in _HIDDEN if name in shown}
    return {**{name: value for name, value in shown.items() if name not in _LEFT_OUT}, **hidden}


def _outline(value: object) -> object:
    """Tasks without their properties; what lies below them stays where it was."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_outline(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {name: _outline(inner) for name, inner in value.items() if name in _OUTLINE}


_HIDDEN = ("tasks", "errors", "finally", "afterExecution", "triggers")
_LEFT_OUT = ("listeners", "pluginDefaults", "concurrency", "retry", "sla")
_OUTLINE = ("id", "type", "tasks", "errors", "inputs", "task", "then", "else", "cases", "defaults")


def _newest(tx: Tx, tenant: TenantId, names: Sequence[shapes.FlowName]) -> list[Execution]:
    first = Page(size=1)
    found = (rows.search(tx, tenant, of_flow(name["namespace"], name["id"]), first)[0] for name in names)
    return [one for executions in found for one in executions]


def _latest(one: Execution) -> dict[str, object]:
    return {
        "id": one.id,
        "namespace": one.namespace,
        "flowId": one.flow_id,
        "startDate": one.history.start,
        "status": one.state.value,
    }


_EXECUTIONS = "/api/v1/{tenant}/executions"
_OUTPUTS = "/api/v1/{tenant}/outputs"
_VIEW: Permission = ("EXECUTION", "VIEW")
_LIST: Permission = ("EXECUTION", "LIST")
_READ_OUTPUTS: Permission = ("EXECUTION", "ACCESS_OUTPUTS")

TABLE = (
    Operation(
        "GET",
        _EXECUTIONS + "/{execution_id}",
        can=_VIEW,
        audit="execution:view",
        returns=shapes.Execution,
        run=execution,
    ),
    Operation(
        "GET",
        _EXECUTIONS + "/search",
        can=_LIST,
        audit="execution:list",
        asks={**SEARCH, **OLD_FILTERS},
        returns=shapes.Executions,
        run=search_executions,
    ),
    Operation(
        "GET",
        _EXECUTIONS,
        can=_LIST,
        audit="execution:list",
        asks={"namespace": str, "flowId": str, "page": int, "size": int, "sort": list},
        returns=shapes.Executions,
        run=search_executions_by_flow_id,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/latest",
        can=_LIST,
        audit="execution:list",
        body=json_of(list[shapes.FlowName]),
        returns=list[shapes.LatestExecution],
        run=latest_executions,
    ),
    Operation(
        "GET",
        _EXECUTIONS + "/flows/{namespace}/{flow_id}",
        can=("FLOW", "EXECUTE"),
        audit="flow:view",
        asks={"revision": int},
        returns=dict[str, object],
        run=flow_from_execution,
    ),
    Operation(
        "GET",
        _EXECUTIONS + "/{execution_id}/flow",
        can=_VIEW,
        audit="flow:view",
        returns=dict[str, object],
        run=flow_from_execution_by_id,
    ),
    Operation(
        "GET",
        _OUTPUTS + "/executions/{execution_id}",
        can=_READ_OUTPUTS,
        audit="execution:outputs",
        returns=dict[str, object],
        run=execution_outputs,
    ),
    Operation(
        "GET",
        _OUTPUTS + "/tasks/{execution_id}",
        can=_READ_OUTPUTS,
        audit="execution:outputs",
        returns=list[shapes.TaskOutputs],
        run=task_outputs_information,
    ),
    Operation(
        "GET",
        _OUTPUTS + "/tasks/{execution_id}/{task_run_id}",
        can=_READ_OUTPUTS,
        audit="execution:outputs",
        returns=dict[str, object],
        run=task_run_outputs,
    ),
)
