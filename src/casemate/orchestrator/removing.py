"""Removing an execution with everything that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.executions import State
from casemate.orchestrator import telling
from casemate.orchestrator.items import Key
from casemate.store import Job, Tx, executions, jobs, logs, metrics, outbox, replies, timers
from casemate.store.outbox import Message


@dataclass(frozen=True, slots=True)
class Removed:
    """What is to be done after an execution was removed: workers held these jobs, and someone may wait for its end."""

    held: tuple[Job, ...]
    messages: tuple[Message, ...]


def delete(tx: Tx, key: Key) -> Removed | None:
    """Remove its rows; None if there was no such execution. To whoever waits for it, it was killed."""
    messages = _farewell(tx, key)
    held = tuple(job for job in jobs.of_execution(tx, *key) if job.held)
    if not executions.delete(tx, *key):
        return None
    for remove in (jobs.delete, replies.delete, timers.delete, logs.delete, metrics.delete):
        remove(tx, *key)
    return Removed(held, messages)


def _farewell(tx: Tx, key: Key) -> tuple[Message, ...]:
    execution = executions.get(tx, *key)
    if execution is None or execution.caller is None or execution.caller.told:
        return ()
    return (outbox.add(tx, "ended", telling.end_of(execution, execution.caller, State.KILLED)),)
