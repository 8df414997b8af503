"""Operations on the log entries of executions."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import PlainTextResponse

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.operation import Answer, Operation, Permission
from casemate.api.search import SEARCH, filters, page
from casemate.identifiers import ExecutionId, TaskId, TaskRunId
from casemate.jobs import Level
from casemate.store import Filter, LogEntry
from casemate.store import logs as rows


async def list_logs_from_execution(call: Call) -> Answer:
    """List the log entries of an execution, oldest first."""
    return [shown(entry) for entry in await _entries(call)]


async def download_logs_from_execution(call: Call) -> Answer:
    """Download the log entries of an execution as a text."""
    lines = "".join(f"{_date(entry.at)} {entry.level} {entry.message}\n" for entry in await _entries(call))
    name = f"kestra-execution-{_execution(call)}.log"
    return PlainTextResponse(lines, headers={"content-disposition": f'attachment; filename="{name}"'})


async def delete_logs_from_execution(call: Call) -> Answer:
    """Delete log entries of an execution."""
    await call.deps.db.transact(rows.delete, call.tenant, _execution(call), wanted(call))
    return None


async def delete_logs_from_flow(call: Call) -> Answer:
    """Delete the log entries of a flow, those of one trigger if it is named."""
    namespace, flow = call.flow
    wanted_ones = [Filter("namespace", "EQUALS", namespace), Filter("flowId", "EQUALS", flow)]
    if (trigger := call.text("triggerId")) is not None:
        wanted_ones.append(Filter("triggerId", "EQUALS", trigger))
    await call.deps.db.transact(rows.purge, call.tenant, wanted_ones)
    return None


async def search_logs(call: Call) -> Answer:
    """Search log entries, newest first."""
    found, total = await call.deps.db.read(rows.search, call.tenant, filters(call), page(call))
    return {**paged([shown(entry) for entry in found], total), "type": "OFFSET"}


def wanted(call: Call) -> rows.Wanted:
    """Which entries of an execution the query asks for; Kestra counts attempts from 0, we from 1."""
    task, task_run, attempt = call.text("taskId"), call.text("taskRunId"), call.number("attempt")
    return rows.Wanted(
        level=_level(call.text("minLevel")),
        task_id=None if task is None else TaskId(task),
        task_run_id=None if task_run is None else TaskRunId(task_run),
        attempt=None if attempt is None else attempt + 1,
    )


def shown(entry: LogEntry) -> dict[str, object]:
    """One entry as Kestra's JSON."""
    optional = {
        "executionId": entry.execution_id,
        "taskId": entry.task_id,
        "taskRunId": entry.task_run_id,
        "attemptNumber": None if entry.attempt is None else entry.attempt - 1,
        "triggerId": entry.trigger_id,
    }
    return {
        "namespace": entry.namespace,
        "flowId": entry.flow_id,
        **{name: value for name, value in optional.items() if value is not None},
        "timestamp": _date(entry.at),
        "level": entry.level,
        "thread": entry.thread,
        "message": entry.message,
    }


def _execution(call: Call) -> ExecutionId:
    return ExecutionId(call.part("execution_id"))


async def _entries(call: Call) -> tuple[LogEntry, ...]:
    return await call.deps.db.read(rows.of_execution, call.tenant, _execution(call), wanted(call))


def _level(text: str | None) -> Level:
    for level in rows.LEVELS:
        if level == (text or "TRACE").upper():
            return level
    raise illegal_argument(f"there is no log level {text!r}, only {', '.join(rows.LEVELS)}")


def _date(date: datetime) -> str:
    return date.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_LOGS = "/api/v1/{tenant}/logs"
_OF_EXECUTION = _LOGS + "/{execution_id}"
_VIEW: Permission = ("EXECUTION", "ACCESS_LOGS")
_OLD_FILTERS = {
    "namespace": str,
    "flowId": str,
    "triggerId": str,
    "minLevel": str,
    "startDate": str,
    "endDate": str,
    "timeRange": str,
}
_WANTED = {"minLevel": str, "taskRunId": str, "taskId": str, "attempt": int}

TABLE = (
    Operation(
        "GET",
        _OF_EXECUTION,
        can=_VIEW,
        audit="log:view",
        asks=_WANTED,
        returns=list[shapes.LogEntry],
        run=list_logs_from_execution,
    ),
    Operation(
        "GET",
        _OF_EXECUTION + "/download",
        can=_VIEW,
        audit="log:view",
        asks=_WANTED,
        produces="text/plain",
        run=download_logs_from_execution,
    ),
    Operation(
        "DELETE",
        _OF_EXECUTION,
        can=("EXECUTION", "DELETE"),
        audit="log:delete",
        asks=_WANTED,
        status=204,
        run=delete_logs_from_execution,
    ),
    Operation(
        "DELETE",
        _LOGS + "/{namespace}/{flow_id}",
        can=("EXECUTION", "DELETE"),
        audit="log:delete",
        asks={"triggerId": str},
        status=204,
        run=delete_logs_from_flow,
    ),
    Operation(
        "GET",
        _LOGS + "/search",
        can=_VIEW,
        audit="log:list",
        asks={**SEARCH, **_OLD_FILTERS},
        returns=shapes.LogEntries,
        run=search_logs,
    ),
)
