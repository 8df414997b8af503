"""Log entries as tasks use them (spec/engine 8.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from casemate.identifiers import ExecutionId
from casemate.jobs import Level
from casemate.orchestrator.calls.borders import meant
from casemate.orchestrator.calls.dates import date_of
from casemate.orchestrator.calls.model import Arguments, Caller, refuse
from casemate.store import Filter, LogEntry, Tx, Wanted, logs

_AT_ONCE = 500


def fetch(tx: Tx, caller: Caller, arguments: Arguments) -> dict[str, object]:
    """Some entries of an execution, its own by default: `{entries, after}`; `after` is None with the last of them."""
    execution = ExecutionId(arguments.maybe_text("executionId") or caller.execution.id)
    namespace, flow = meant(caller, arguments.maybe_text("namespace")), arguments.maybe_text("flowId")
    tasks, after = arguments.texts("tasksId"), arguments.given.get("after")
    wanted = Wanted(level=_level(arguments.maybe_text("level")), limit=_AT_ONCE)
    found = logs.of_execution(
        tx, caller.tenant, execution, replace(wanted, after=after) if isinstance(after, int) else wanted
    )
    # An execution of another namespace has to be named together with its namespace.
    mine = [entry for entry in found if entry.namespace == namespace and flow in (None, entry.flow_id)]
    entries = [_shown(entry) for entry in mine if not tasks or entry.task_id in tasks]
    return {"entries": entries, "after": found[-1].seq if len(found) == _AT_ONCE else None}


def _shown(entry: LogEntry) -> dict[str, object]:
    shown: dict[str, object] = {
        "namespace": entry.namespace,
        "flowId": entry.flow_id,
        "taskId": entry.task_id,
        "executionId": entry.execution_id,
        "taskRunId": entry.task_run_id,
        "attemptNumber": None if entry.attempt is None else entry.attempt - 1,
        "triggerId": entry.trigger_id,
        "timestamp": entry.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": entry.level,
        "thread": entry.thread,
        "message": entry.message,
    }
    return {name: value for name, value in shown.items() if value is not None}


def purge(tx: Tx, caller: Caller, arguments: Arguments) -> int:
    """Remove entries by namespace (those below it too), flow, levels and dates: how many there were."""
    end = date_of(arguments.text("endDate"), "endDate")
    filters = [Filter("timestamp", "LESS_THAN_OR_EQUAL_TO", end)]
    if (start := arguments.maybe_text("startDate")) is not None:
        filters.append(Filter("timestamp", "GREATER_THAN_OR_EQUAL_TO", date_of(start, "startDate")))
    if (namespace := arguments.maybe_text("namespace")) is not None:
        filters.append(Filter("namespace", "PREFIX", namespace))
    if (flow := arguments.maybe_text("flowId")) is not None:
        filters.append(Filter("flowId", "EQUALS", flow))
    if levels := [_level(level) for level in arguments.texts("logLevels")]:
        filters.append(Filter("level", "IN", levels))
    return logs.purge(tx, caller.tenant, filters)


def _level(text: str | None) -> Level:
    level = (text or "INFO").upper()
    return level if level in logs.LEVELS else refuse(f"There is no log level {level[:50]}")
