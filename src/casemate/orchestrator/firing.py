"""The transactions of the scheduler: what a trigger starts, and the record of the trigger, are written together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from casemate.executions import Execution, State, failed_at_start
from casemate.flows import Flow
from casemate.orchestrator import applying, entries
from casemate.orchestrator.step import Step, Surroundings, Written
from casemate.store import Tx, executions, logs, triggers
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
    step.entries += entries.of_trigger(
        before.key, entries.unevaluated(before.trigger_id, reason, around.now), execution.id
    )
    return step.write(new=True)


def rest(tx: Tx, state: TriggerState, reason: str | None, now: datetime) -> None:
    """Nothing of it is due before its flow is saved again; a reason goes into the log of the trigger."""
    triggers.save(tx, state, replace(state, planned=True, next_date=None, evaluating_since=None))
    if reason is not None:
        logs.append(tx, tuple(entries.of_trigger(state.key, entries.unevaluated(state.trigger_id, reason, now))))


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
