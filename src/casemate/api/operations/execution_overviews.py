"""What can be executed, what was, and how long it took."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import timedelta

from starlette.responses import Response

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.names import namespace_of
from casemate.api.operation import Answer, Operation, Permission
from casemate.api.operations.executions import for_execution
from casemate.api.operations.flow_search import every_flow
from casemate.api.search import FILTERS, LARGEST, OLD_FILTERS, filters
from casemate.api.tables import csv_stream
from casemate.executions import Execution, to_json
from casemate.store import Criterion, Filter, Page
from casemate.store import executions as rows
from casemate.store import flows as flow_rows

_COLUMNS = (
    "id",
    "tenantId",
    "namespace",
    "flowId",
    "flowRevision",
    "state",
    "startDate",
    "endDate",
    "duration",
    "labels",
    "inputs",
    "trigger",
    "parentId",
    "originalId",
)
_VALUES = 100
_ROWS = 200


async def find_distinct_execution_field_values(call: Call) -> Answer:
    """List the values that a field of executions has."""
    name, most = call.text("field"), call.number("size")
    if name is None:
        raise illegal_argument("field is required: namespace, flowId, state...")
    if most is not None and not 0 < most <= LARGEST:
        raise illegal_argument(f"size must be from 1 to {LARGEST}")
    found = await call.deps.db.read(rows.distinct, call.tenant, _camel(name), filters(call), most or _VALUES)
    return [str(value) for value in found]


async def list_executable_namespaces(call: Call) -> Answer:
    """List the namespaces whose flows can be executed."""
    return list(await call.deps.db.read(flow_rows.namespaces, call.tenant))


async def list_executable_flows_by_namespace(call: Call) -> Answer:
    """List the flows of a namespace as those see them who may only run them."""
    within = (Filter("namespace", "EQUALS", namespace_of(call)),)
    found = await call.deps.db.read(every_flow, call.tenant, within)
    return await to_thread(lambda: [for_execution(flow, call) for flow in found])


async def execution_average_duration(call: Call) -> Answer:
    """Tell how long the newest executions of a flow took on average, and how many these were."""
    took = await call.deps.db.read(rows.durations, call.tenant, *call.flow)
    average = sum(took, timedelta()) / len(took) if took else None
    shown = {} if average is None else {"avgDurationMs": average // timedelta(milliseconds=1)}
    return {**shown, "count": len(took)}


async def export_executions_by_query_to_csv(call: Call) -> Response:
    """Export what a search finds as a CSV file, newest first."""
    # What begins while the pages are read would push others to a page that was read already.
    until = Filter("startDate", "LESS_THAN_OR_EQUAL_TO", call.deps.now())
    wanted = (*filters(call), until)
    first = await _page(call, wanted, 1)
    return csv_stream(_COLUMNS, _pages(call, wanted, first), "executions.csv")


async def _pages(
    call: Call, wanted: Sequence[Criterion], first: Sequence[Execution]
) -> AsyncIterator[Iterable[Mapping[str, object]]]:
    number, found = 1, first
    while found:
        yield [_row(one) for one in found]
        number += 1
        found = await _page(call, wanted, number)


async def _page(call: Call, wanted: Sequence[Criterion], number: int) -> Sequence[Execution]:
    page = Page(number=number, size=_ROWS)
    found, _ = await call.deps.db.read(rows.search, call.tenant, wanted, page)
    return found


def _row(one: Execution) -> dict[str, object]:
    shown = to_json(one)
    state = shown.pop("state")
    labels = {label.key: label.value for label in one.labels}
    dates = {name: state.get(name) for name in ("startDate", "endDate", "duration")}
    return {**shown, **dates, "state": state["current"], "labels": labels}


def _camel(name: str) -> str:
    """`FLOW_ID` as clients also write `flowId`."""
    first, *others = name.lower().split("_")
    return name if name != name.upper() else first + "".join(part.capitalize() for part in others)


_EXECUTIONS = "/api/v1/{tenant}/executions"
_FLOWS = _EXECUTIONS + "/namespaces/{namespace}/flows"
_LIST: Permission = ("EXECUTION", "LIST")
_EXECUTE: Permission = ("FLOW", "EXECUTE")

TABLE = (
    Operation(
        "GET",
        _EXECUTIONS + "/distinct-field-values",
        can=_LIST,
        audit="execution:list",
        asks={"field": str, "size": int, **FILTERS, **OLD_FILTERS},
        returns=list[str],
        run=find_distinct_execution_field_values,
    ),
    Operation(
        "GET",
        _EXECUTIONS + "/export/by-query/csv",
        can=("EXECUTION", "EXPORT"),
        audit="execution:export",
        asks={**FILTERS, **OLD_FILTERS},
        produces="text/csv",
        run=export_executions_by_query_to_csv,
    ),
    Operation(
        "GET",
        _EXECUTIONS + "/namespaces",
        can=_EXECUTE,
        audit="flow:list",
        returns=list[str],
        run=list_executable_namespaces,
    ),
    Operation(
        "GET",
        _FLOWS,
        can=_EXECUTE,
        audit="flow:list",
        returns=list[dict[str, object]],
        run=list_executable_flows_by_namespace,
    ),
    Operation(
        "GET",
        _FLOWS + "/{flow_id}/average-duration",
        can=_LIST,
        audit="execution:list",
        returns=shapes.AverageDuration,
        run=execution_average_duration,
    ),
)
