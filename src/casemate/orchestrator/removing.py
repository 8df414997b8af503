"""Removing an execution with everything that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from casemate.executions import Execution, State
from casemate.orchestrator import telling
from casemate.orchestrator.items import Key
from casemate.store import Job, Timer, Tx, executions, jobs, logs, metrics, outbox, replies, slots, timers
from casemate.store.outbox import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """What goes with an execution; what does not is found no more by way of it, only by its own search or address."""

    logs: bool = True
    metrics: bool = True
    files: bool = True


@dataclass(frozen=True, slots=True)
class Removed:
    """What is to be done after an execution was removed.

    Workers held these jobs, someone may wait for its end, and others for its place.
    """

    held: tuple[Job, ...]
    messages: tuple[Message, ...]
    timers: tuple[Timer, ...]


def delete(tx: Tx, key: Key, belongings: Belongings, now: datetime) -> Removed | None:
    """Remove its rows; None if there was no such execution. To whoever waits for it, it was killed."""
    execution = executions.get(tx, *key)
    if execution is None:
        return None
    messages = _farewell(tx, execution)
    held = tuple(job for job in jobs.of_execution(tx, *key) if job.held)
    for remove in (executions.delete, jobs.delete, replies.delete, timers.delete):
        remove(tx, *key)
    if belongings.logs:
        logs.delete(tx, *key)
    if belongings.metrics:
        metrics.delete(tx, *key)
    flow = (execution.tenant, execution.namespace, execution.flow_id)
    return Removed(held, messages, slots.wake(tx, flow, now) if execution.holds_slot else ())


def _farewell(tx: Tx, execution: Execution) -> tuple[Message, ...]:
    if execution.caller is None or execution.caller.told:
        return ()
    return (outbox.add(tx, "ended", telling.end_of(execution, execution.caller, State.KILLED)),)
