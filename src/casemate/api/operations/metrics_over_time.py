"""Operations on what a flow measured over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.operation import Answer, Operation, Permission, Run
from casemate.identifiers import TaskId
from casemate.store import metrics as rows

_DAYS = 30
"""How far back one looks who names no date."""

_SPANS: Mapping[str, timedelta] = {
    "MINUTE": timedelta(minutes=1),
    "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1),
    "WEEK": timedelta(weeks=1),
    "MONTH": timedelta(days=30),
}
_FROM: tuple[tuple[timedelta, str], ...] = (
    (timedelta(days=365), "MONTH"),
    (timedelta(days=180), "WEEK"),
    (timedelta(days=1), "DAY"),
    (timedelta(hours=6), "HOUR"),
)
_VALUES: Mapping[str, Callable[[rows.Span], float]] = {
    "sum": lambda span: span.total,
    "avg": lambda span: span.total / span.count,
    "min": lambda span: span.least,
    "max": lambda span: span.most,
}


async def flow_metric_names(call: Call) -> Answer:
    """List what a flow has measured."""
    return list(await call.deps.db.read(rows.names, call.tenant, *call.flow))


async def task_metric_names(call: Call) -> Answer:
    """List what a task has measured."""
    return list(await call.deps.db.read(rows.names, call.tenant, *call.flow, TaskId(call.part("task_id"))))


async def tasks_with_metrics(call: Call) -> Answer:
    """List the tasks of a flow that have measured something."""
    return list(await call.deps.db.read(rows.tasks, call.tenant, *call.flow))


async def aggregate_flow_metric(call: Call) -> Answer:
    """Sum up a measurement of a flow over time."""
    return await _aggregated(call, None)


async def aggregate_task_metric(call: Call) -> Answer:
    """Sum up a measurement of a task over time."""
    return await _aggregated(call, TaskId(call.part("task_id")))


async def _aggregated(call: Call, task: TaskId | None) -> Answer:
    value = _VALUES.get((call.text("aggregation") or "sum").lower())
    if value is None:
        raise illegal_argument(f"aggregation must be one of {', '.join(_VALUES)}")
    end = _date(call, "endDate") or call.deps.now()
    start = _date(call, "startDate") or end - min(timedelta(days=_DAYS), end - datetime.min.replace(tzinfo=UTC))
    group, name = _group(end - start), call.part("metric")
    found = await call.deps.db.read(rows.spans, call.tenant, (*call.flow, task), name, (start, end), _SPANS[group])
    measured = [{"name": name, "value": value(span), "date": span.begins} for span in found]
    return {"groupBy": group.lower(), "aggregations": measured}


def _group(length: timedelta) -> str:
    return next((group for least, group in _FROM if length >= least), "MINUTE")


def _date(call: Call, name: str) -> datetime | None:
    text = call.text(name)
    if text is None:
        return None
    try:
        # A plus sign that was not encoded arrives as a blank.
        date = datetime.fromisoformat(text.replace(" ", "+"))
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise illegal_argument(f"{name} is {text[:100]!r}, it must be a date like 2026-11-01T12:00:00Z") from error


_METRICS = "/api/v1/{tenant}/metrics"
_FLOW = "/{namespace}/{flow_id}"
_VIEW: Permission = ("EXECUTION", "VIEW")
_ASKS = {"startDate": str, "endDate": str, "aggregation": str}


def _listing(path: str, run: Run) -> Operation:
    return Operation("GET", _METRICS + path, can=_VIEW, audit="metric:list", returns=list[str], run=run)


TABLE = (
    _listing("/names" + _FLOW, flow_metric_names),
    _listing("/names" + _FLOW + "/{task_id}", task_metric_names),
    _listing("/tasks" + _FLOW, tasks_with_metrics),
    Operation(
        "GET",
        _METRICS + "/aggregates" + _FLOW + "/{metric}",
        can=_VIEW,
        audit="metric:view",
        asks=_ASKS,
        returns=shapes.Measurements,
        run=aggregate_flow_metric,
    ),
    Operation(
        "GET",
        _METRICS + "/aggregates" + _FLOW + "/{task_id}/{metric}",
        can=_VIEW,
        audit="metric:view",
        asks=_ASKS,
        returns=shapes.Measurements,
        run=aggregate_task_metric,
    ),
)
