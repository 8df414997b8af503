"""How an execution comes to be: from a flow, or from an execution that is run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from casemate.executions.model import Execution, History, State
from casemate.flows import Flow, Label
from casemate.identifiers import ExecutionId

CORRELATION = "system.correlationId"
"""The label that all executions started from one another share."""


def start(
    flow: Flow,
    *,
    id: ExecutionId,  # noqa: A002 - the word for what it is
    now: datetime,
    inputs: Mapping[str, object],
    labels: Sequence[Label] = (),
    trigger: Mapping[str, object] | None = None,
    variables: Mapping[str, object] | None = None,
    schedule_date: datetime | None = None,
) -> Execution:
    """A new execution, CREATED and waiting for `Begin`. `inputs` are already resolved.

    Its labels are the flow's (but for Kestra's own), then the given ones, then the correlation (spec/engine 2.5).
    """
    own = [label for label in flow.labels if not label.key.startswith("system.")]
    together = [*own, *labels]
    if all(label.key != CORRELATION for label in together):
        together.append(Label(CORRELATION, id))
    return Execution(
        id=id,
        tenant=flow.tenant,
        namespace=flow.namespace,
        flow_id=flow.id,
        flow_revision=flow.revision,
        history=History.begun(now),
        inputs=inputs,
        labels=tuple(together),
        variables=variables or {},
        trigger=trigger,
        original_id=id,
        original_created=now,
        schedule_date=schedule_date,
    )


def failed_at_start(execution: Execution, now: datetime) -> Execution:
    """A new execution that has failed before it began, so that someone sees what was to be (spec/engine 9.5)."""
    return replace(execution, history=execution.history.to(State.FAILED, now))


def replayed(
    execution: Execution,
    *,
    id: ExecutionId,  # noqa: A002 - the word for what it is
    now: datetime,
) -> Execution:
    """The same execution from the beginning, as a new one, counted up (spec/engine 3.2, 7).

    Whoever waits for the end of the old one waits for that of the new one.
    """
    return replace(
        execution,
        id=id,
        history=History.begun(now),
        task_runs={},
        outputs=None,
        parent_id=execution.id,
        original_id=execution.original_id or execution.id,
        attempt_number=execution.attempt_number + 1,
        schedule_date=None,
        asked=frozenset(),
        answers={},
        replay_at=None,
        caller=None if execution.caller is None else replace(execution.caller, told=False),
        verdict=None,
        after=(),
        checked=frozenset(),
        version=0,
    )
