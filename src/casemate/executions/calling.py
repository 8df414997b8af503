"""What a task run starts as an execution of another flow, and how that one looks (spec/engine 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from casemate.executions.model import Call, Caller, Execution
from casemate.executions.start import start
from casemate.expressions import ExpressionError, printed, truthy
from casemate.flows import Flow, Label, Task
from casemate.identifiers import ExecutionId, FlowId, Namespace

_SYSTEM = "system."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which flow is to be started, with what. `labels` are the task's own, `inherits` says if the caller's follow."""

    namespace: Namespace
    flow_id: FlowId
    revision: int | None
    inputs: Mapping[str, object]
    labels: tuple[Label, ...]
    inherits: bool
    schedule_date: datetime | None

    @property
    def missing(self) -> str:
        """What is said when there is no such flow."""
        return f"Unable to find flow '{self.namespace}'.'{self.flow_id}' with revision '{self.revision or 0}'"


def wanted_by(task: Task, render: Callable[[object], object], render_inputs: Callable[[object], object]) -> Wanted:
    """What a task wants to start, with its templates filled in. Raises ExpressionError."""
    given = task.properties
    inputs = render_inputs(given.get("inputs") or {})
    revision = given.get("revision")
    return Wanted(
        namespace=Namespace(printed(render(given.get("namespace")))),
        flow_id=FlowId(printed(render(given.get("flowId")))),
        revision=revision if isinstance(revision, int) else None,
        inputs=inputs if isinstance(inputs, Mapping) else {},
        labels=_labels(render(given.get("labels") or [])),
        inherits=truthy(render(given.get("inheritLabels"))),
        schedule_date=_date(render(given.get("scheduleDate"))),
    )


def subflow_of(
    flow: Flow,
    parent: Execution,
    task: Task,
    call: Call,
    wanted: Wanted,
    *,
    id: ExecutionId,  # noqa: A002 - the word for what it is
    now: datetime,
    inputs: Mapping[str, object],
) -> Execution:
    """The new execution, waiting for `Begin`; `inputs` are already resolved."""
    inherited = [label for label in parent.labels if wanted.inherits or label.key.startswith(_SYSTEM)]
    child = start(
        flow,
        id=id,
        now=now,
        inputs=inputs,
        labels=[*wanted.labels, *inherited],
        trigger=_trigger(parent, task),
        schedule_date=wanted.schedule_date,
    )
    caller = Caller(execution=parent.id, call=call, depth=depth_of(parent) + 1)
    return replace(child, caller=caller)


def depth_of(execution: Execution) -> int:
    """How many executions stand above this one."""
    return 0 if execution.caller is None else execution.caller.depth


def _trigger(parent: Execution, task: Task) -> Mapping[str, object]:
    variables = {
        "executionId": parent.id,
        "namespace": parent.namespace,
        "flowId": parent.flow_id,
        "flowRevision": parent.flow_revision,
    }
    return {"id": task.id, "type": task.type, "variables": variables}


def _labels(rendered: object) -> tuple[Label, ...]:
    assert isinstance(rendered, list), "the flow was checked"
    labels = tuple(Label(printed(each["key"]), printed(each["value"])) for each in rendered)
    for label in labels:
        if label.key.startswith(_SYSTEM):
            offender = f"{label.key}={label.value}"
            raise ExpressionError(f"System labels can only be set by Kestra itself, offending label: {offender}")
    return labels


def _date(rendered: object) -> datetime | None:
    text = printed(rendered)
    if not text:
        return None
    try:
        date = datetime.fromisoformat(text)
    except ValueError as error:
        raise ExpressionError(f"Invalid scheduleDate '{text}': it must be a date like 2026-11-01T12:00:00Z") from error
    return date if date.tzinfo else date.replace(tzinfo=UTC)
