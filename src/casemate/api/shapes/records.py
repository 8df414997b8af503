"""What executions leave behind: log entries and measurements."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict


class LogEntry(TypedDict):
    """One log entry."""

    namespace: str
    flowId: str
    executionId: NotRequired[str]
    taskId: NotRequired[str]
    taskRunId: NotRequired[str]
    triggerId: NotRequired[str]
    attemptNumber: NotRequired[int]
    timestamp: str
    level: str
    thread: str
    message: str


class LogEntries(TypedDict):
    """A page of log entries."""

    results: list[LogEntry]
    total: int
    type: str


class Metrics(TypedDict):
    """A page of measurements."""

    results: list[dict[str, Any]]
    total: int


class Measured(TypedDict):
    """A measurement over one span of time."""

    name: str
    value: float
    date: str


class Measurements(TypedDict):
    """Measurements over time, the spans named by `groupBy`."""

    groupBy: str
    aggregations: list[Measured]
