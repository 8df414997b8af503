"""Executions and task runs as Kestra's API shows them (spec/engine 5.1), with two additions: outputs and isolation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from casemate import durations
from casemate.executions.model import Attempt, Execution, History, TaskRun


def to_json(execution: Execution) -> dict[str, Any]:
    """The execution, without what is null. Inputs and outputs stay as stored: dates as text, secrets sealed."""
    runs = [task_run_json(execution, run) for run in execution.task_runs.values()]
    shown = {
        "id": execution.id,
        "tenantId": execution.tenant,
        "namespace": execution.namespace,
        "flowId": execution.flow_id,
        "flowRevision": execution.flow_revision,
        "taskRunList": runs or None,
        "inputs": execution.inputs or None,
        "outputs": execution.outputs,
        "labels": [{"key": label.key, "value": label.value} for label in execution.labels],
        "variables": execution.variables or None,
        "state": _state(execution.history),
        "parentId": execution.parent_id,
        "originalId": execution.original_id or execution.id,
        "trigger": execution.trigger,
        "deleted": execution.deleted,
        "metadata": _metadata(execution),
        "scheduleDate": None if execution.schedule_date is None else _date(execution.schedule_date),
    }
    return _without_nulls(shown)


def task_run_json(execution: Execution, run: TaskRun) -> dict[str, Any]:
    """One task run of the execution."""
    shown = {
        "id": run.id,
        "tenantId": execution.tenant,
        "executionId": execution.id,
        "namespace": execution.namespace,
        "flowId": execution.flow_id,
        "taskId": run.task_id,
        "parentTaskRunId": run.parent,
        "value": run.value,
        "attempts": [_attempt(attempt) for attempt in run.attempts] or None,
        "outputs": run.outputs,
        "state": _state(run.history),
        "iteration": run.iteration,
        "dynamic": run.dynamic or None,
        "isolation": run.isolation,
    }
    return _without_nulls(shown)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return _without_nulls(
        {"state": _state(attempt.history), "logFile": attempt.log_file, "isolation": attempt.isolation}
    )


def _metadata(execution: Execution) -> dict[str, Any]:
    created = execution.original_created or execution.history.start
    return {"attemptNumber": execution.attempt_number, "originalCreatedDate": _date(created)}


def _state(history: History) -> dict[str, Any]:
    """The state, its dates twice: Kestra's own client insists on the names that begin with `get`."""
    moments = [{"state": moment.state.value, "date": _date(moment.date)} for moment in history.moments]
    start, last = moments[0]["date"], moments[-1]["date"]
    duration = durations.printed(history.moments[-1].date - history.start)
    shown = {
        "current": history.current.value,
        "histories": moments,
        "duration": duration,
        "startDate": start,
        "getDuration": duration,
        "getStartDate": start,
        "getEndDate": last,
    }
    return shown if history.end is None else {**shown, "endDate": last}


def _date(date: datetime) -> str:
    return date.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _without_nulls(shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if value is not None}
