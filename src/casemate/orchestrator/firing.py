"""The transactions of the scheduler: what a trigger starts, and the record of the trigger, are written together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from casemate.executions import Execution, State, failed_at_start
from casemate.flows import Flow
from casemate.identifiers import ExecutionId
from casemate.orchestrator import applying
from casemate.orchestrator.step import Step, Surroundings, Written
from casemate.store import LogEntry, Tx, executions, logs, triggers
from casemate.triggers import TriggerState, released


def fire(
    tx: Tx, flow: Flow, execution: Execution, before: TriggerState, after: TriggerState, around: Surroundings
) -> Written:
    """Write an execution beside the record that says so. Raises the store's `Conflict` if the record has changed."""
    triggers.save(tx, before, after)
    return applying.begin(tx, flow, execution, around)


def fail(
    tx: Tx,
    flow: Flow,
    execution: Execution,
    reason: str,
    before: TriggerState,
    after: TriggerState,
    around: Surroundings,
) -> Written:
    """Write an execution that is FAILED from the start, with the reason in its log. Raises as `fire` does."""
    triggers.save(tx, before, released(replace(after, triggered=around.now), State.FAILED.value))
    step = Step(tx=tx, flow=flow, before=execution, around=around)
    step.execution = failed_at_start(execution, around.now)
    step.entries += _entries(before, reason, around.now, execution.id)
    return step.write(new=True)


def rest(tx: Tx, state: TriggerState, reason: str | None, now: datetime) -> None:
    """Nothing of it is due before its flow is saved again; a reason goes into the log of the trigger."""
    triggers.save(tx, state, replace(state, planned=True, next_date=None, evaluating_since=None))
    if reason is not None:
        logs.append(tx, _entries(state, reason, now))


def _entries(
    state: TriggerState, reason: str, now: datetime, execution: ExecutionId | None = None
) -> tuple[LogEntry, ...]:
    return tuple(
        LogEntry(
            tenant=state.tenant,
            namespace=state.namespace,
            flow_id=state.flow_id,
            execution_id=execution,
            trigger_id=state.trigger_id,
            at=now,
            level="ERROR",
            message=message,
        )
        for message in (f"Unable to evaluate the trigger '{state.trigger_id}'", reason)
    )


def release(tx: Tx, state: TriggerState) -> None:
    """The execution that it started last is over: it may go on, unless that end stops it."""
    assert state.execution_id is not None, "it started one"
    ended = executions.state_of(tx, state.tenant, state.execution_id)
    triggers.save(tx, state, released(state, ended))


def abandon(tx: Tx) -> None:
    """Evaluations that ran when the service ended have no result and will have none; what rested is planned anew."""
    triggers.wake(tx)
    for state in triggers.unfinished(tx):
        triggers.save(tx, state, replace(state, evaluating_since=None))
