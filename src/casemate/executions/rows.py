"""Executions and task runs as plain JSON values, for whoever keeps them. What goes in comes out the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, replace
from datetime import datetime
from typing import Any, TypeAlias

from casemate.executions.model import (
    Attempt,
    Batches,
    Call,
    Caller,
    Execution,
    History,
    Moment,
    State,
    TaskRun,
    Verdict,
)
from casemate.flows import Label
from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskId, TaskRunId, TenantId

Row: TypeAlias = Mapping[str, Any]
"""An object of JSON whose shape only this module knows."""


def execution_document(execution: Execution) -> dict[str, Any]:
    """All of an execution but its task runs and its version, which the store keeps in rows and columns of their own.

    And but for the answers of the world that wait to be used, which may tell a secret: their steps ask again.
    """
    return {
        "id": execution.id,
        "tenant": execution.tenant,
        "namespace": execution.namespace,
        "flow": execution.flow_id,
        "revision": execution.flow_revision,
        "history": _history(execution.history),
        "inputs": dict(execution.inputs),
        "outputs": _maybe_map(execution.outputs),
        "labels": [[label.key, label.value] for label in execution.labels],
        "variables": dict(execution.variables),
        "trigger": _maybe_map(execution.trigger),
        "parent": execution.parent_id,
        "original": execution.original_id,
        "attempt": execution.attempt_number,
        "originalCreated": _maybe_text(execution.original_created),
        "scheduled": _maybe_text(execution.schedule_date),
        "deleted": execution.deleted,
        "asked": sorted({*execution.asked, *execution.answers}),
        "replayAt": _maybe_text(execution.replay_at),
        "caller": _maybe_caller(execution.caller),
        "verdict": _verdict(execution.verdict),
        "after": list(execution.after),
        "checked": sorted(execution.checked),
    }


def execution_from(document: Row, task_runs: Iterable[TaskRun], version: int = 0) -> Execution:
    """The execution that was written as `document`, with its task runs in the order of their creation."""
    return Execution(
        id=ExecutionId(document["id"]),
        tenant=TenantId(document["tenant"]),
        namespace=Namespace(document["namespace"]),
        flow_id=FlowId(document["flow"]),
        flow_revision=document["revision"],
        history=_history_from(document["history"]),
        task_runs={run.id: run for run in task_runs},
        inputs=document["inputs"],
        outputs=document["outputs"],
        labels=tuple(Label(key, value) for key, value in document["labels"]),
        variables=document["variables"],
        trigger=document["trigger"],
        parent_id=document["parent"],
        original_id=document["original"],
        attempt_number=document["attempt"],
        original_created=_maybe_date(document["originalCreated"]),
        schedule_date=_maybe_date(document["scheduled"]),
        deleted=document["deleted"],
        # Older versions kept answers; what they belonged to is asked again.
        asked=frozenset((*document["asked"], *document.get("answers", ()))),
        replay_at=_maybe_date(document["replayAt"]),
        caller=_maybe_caller_from(document.get("caller")),
        verdict=_maybe_verdict(document.get("verdict")),
        after=tuple(TaskId(task) for task in document.get("after", ())),
        checked=frozenset(document.get("checked", ())),
        version=version,
    )


def task_run_document(run: TaskRun) -> dict[str, Any]:
    """All of a task run."""
    return {
        "id": run.id,
        "task": run.task_id,
        "history": _history(run.history),
        "parent": run.parent,
        "value": run.value,
        "iteration": run.iteration,
        "attempts": [_attempt(attempt) for attempt in run.attempts],
        "outputs": _maybe_map(run.outputs),
        "dynamic": run.dynamic,
        "values": None if run.values is None else list(run.values),
        "due": _maybe_text(run.due),
        "batches": None if run.batches is None else asdict(run.batches),
    }


def task_run_from(document: Row) -> TaskRun:
    """The task run that was written as `document`."""
    return TaskRun(
        id=TaskRunId(document["id"]),
        task_id=TaskId(document["task"]),
        history=_history_from(document["history"]),
        parent=document["parent"],
        value=document["value"],
        iteration=document["iteration"],
        attempts=_attempts_from(document),
        outputs=document["outputs"],
        dynamic=document["dynamic"],
        values=None if document["values"] is None else tuple(document["values"]),
        due=_maybe_date(document["due"]),
        batches=None if document.get("batches") is None else Batches(**document["batches"]),
    )


def _attempt(attempt: Attempt) -> list[Any]:
    return [_history(attempt.history), attempt.log_file, _maybe_map(attempt.isolation)]


def _attempts_from(document: Row) -> tuple[Attempt, ...]:
    """The attempts; an older version kept the isolation report of the last one only, beside them."""
    attempts = tuple(Attempt(_history_from(history), *more) for history, *more in document["attempts"])
    if not attempts or document.get("isolation") is None:
        return attempts
    return (*attempts[:-1], replace(attempts[-1], isolation=document["isolation"]))


def _history(history: History) -> list[list[str]]:
    return [[moment.state.value, moment.date.isoformat()] for moment in history.moments]


def _history_from(moments: Iterable[tuple[str, str]]) -> History:
    return History(tuple(Moment(State(state), datetime.fromisoformat(date)) for state, date in moments))


def _verdict(verdict: Verdict | None) -> list[str | bool | None] | None:
    if verdict is None:
        return None
    return [verdict.state.value, verdict.task_run, *((True,) if verdict.gentle else ())]


def _maybe_verdict(written: list[Any] | None) -> Verdict | None:
    return None if written is None else Verdict(State(written[0]), written[1], gentle=written[2:] == [True])


def _maybe_map(value: Mapping[str, object] | None) -> dict[str, object] | None:
    return None if value is None else dict(value)


def _maybe_caller(caller: Caller | None) -> dict[str, object] | None:
    return None if caller is None else {**asdict(caller), "call": list(astuple(caller.call))}


def _maybe_caller_from(document: Row | None) -> Caller | None:
    return None if document is None else Caller(**{**document, "call": Call(*document["call"])})


def _maybe_text(date: datetime | None) -> str | None:
    return None if date is None else date.isoformat()


def _maybe_date(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
