"""Removing an execution with everything that belongs to it."""

from __future__ import annotations

from casemate.orchestrator.items import Key
from casemate.store import Job, Tx, executions, jobs, logs, metrics, replies, timers


def delete(tx: Tx, key: Key) -> tuple[Job, ...] | None:
    """Remove its rows; the jobs that workers held, or None if there was no such execution."""
    held = tuple(job for job in jobs.of_execution(tx, *key) if job.held)
    if not executions.delete(tx, *key):
        return None
    for remove in (jobs.delete, replies.delete, timers.delete, logs.delete, metrics.delete):
        remove(tx, *key)
    return held
