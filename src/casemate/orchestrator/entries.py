"""Log entries and measurements of a task run, and log entries of a trigger, as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from casemate.executions import Execution, Write
from casemate.identifiers import ExecutionId, TaskRunId
from casemate.jobs import LogLine, Metric
from casemate.store import LogEntry, MetricEntry
from casemate.triggers import TriggerKey

_TICK = timedelta(milliseconds=1)


def of_lines(
    execution: Execution, run: TaskRunId, attempt: int, lines: Iterable[LogLine], longest: int
) -> Iterator[LogEntry]:
    """What a task run wrote. A message that is too long is cut, its pieces a millisecond apart (spec/engine 3.3)."""
    task = execution.task_runs[run].task_id
    for line in lines:
        entry = LogEntry(
            tenant=execution.tenant,
            namespace=execution.namespace,
            flow_id=execution.flow_id,
            execution_id=execution.id,
            task_id=task,
            task_run_id=run,
            attempt=attempt,
            at=line.at,
            level=line.level,
            message=line.message,
            thread=line.thread,
        )
        yield from _cut(entry, longest)


def _cut(entry: LogEntry, longest: int) -> Iterator[LogEntry]:
    for number, begin in enumerate(range(0, max(len(entry.message), 1), longest)):
        yield replace(entry, at=entry.at + number * _TICK, message=entry.message[begin : begin + longest])


def of_write(execution: Execution, write: Write, now: datetime) -> LogEntry:
    """What a decision has to say about a task run or the execution."""
    run = None if write.task_run is None else execution.task_runs.get(write.task_run)
    return LogEntry(
        tenant=execution.tenant,
        namespace=execution.namespace,
        flow_id=execution.flow_id,
        execution_id=execution.id,
        task_id=run.task_id if run else None,
        task_run_id=write.task_run,
        attempt=write.attempt,
        at=now,
        level=write.level,
        message=write.message,
    )


def of_trigger(key: TriggerKey, lines: Iterable[LogLine], execution: ExecutionId | None = None) -> Iterator[LogEntry]:
    """What is to be said of a trigger, beside an execution if it started one."""
    tenant, namespace, flow, trigger = key
    for line in lines:
        yield LogEntry(
            tenant=tenant,
            namespace=namespace,
            flow_id=flow,
            execution_id=execution,
            trigger_id=trigger,
            at=line.at,
            level=line.level,
            message=line.message,
            thread=line.thread,
        )


def unevaluated(trigger: str, reason: str, now: datetime) -> Iterator[LogLine]:
    """That a trigger could not be evaluated, in Kestra's words, then why."""
    for message in (f"Unable to evaluate the trigger '{trigger}'", reason):
        yield LogLine(at=now, level="ERROR", message=message)


def of_metrics(
    execution: Execution, run: TaskRunId, attempt: int, metrics: Iterable[Metric], now: datetime
) -> Iterator[MetricEntry]:
    """What a task run measured."""
    task = execution.task_runs[run].task_id
    for metric in metrics:
        yield MetricEntry(
            tenant=execution.tenant,
            namespace=execution.namespace,
            flow_id=execution.flow_id,
            execution_id=execution.id,
            task_id=task,
            task_run_id=run,
            attempt=attempt,
            at=now,
            name=metric.name,
            kind=metric.kind,
            value=metric.value,
            tags=metric.tags,
        )
