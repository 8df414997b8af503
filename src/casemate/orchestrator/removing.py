"""Removing an execution with everything that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from casemate.dispatch import Dispatch
from casemate.executions import Execution, State
from casemate.identifiers import ExecutionId, TenantId
from casemate.jobs import Kill
from casemate.orchestrator import telling
from casemate.orchestrator.alarms import Alarms
from casemate.orchestrator.errors import NotFound
from casemate.orchestrator.items import Key
from casemate.orchestrator.lives import Lives
from casemate.orchestrator.relay import Relay
from casemate.orchestrator.watching import Watchers
from casemate.storage import Storage, paths
from casemate.store import Database, Job, Timer, Tx, executions, jobs, logs, metrics, outbox, replies, slots, timers
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


class Remover:
    """Removes executions: rows first, then what of them is elsewhere."""

    def __init__(
        self,
        db: Database,
        storage: Storage,
        dispatch: Dispatch,
        lives: Lives,
        watchers: Watchers,
        relay: Relay,
        alarms: Alarms,
        now: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._storage = storage
        self._dispatch = dispatch
        self._lives = lives
        self._watchers = watchers
        self._relay = relay
        self._alarms = alarms
        self._now = now

    async def delete(self, tenant: TenantId, execution: ExecutionId, belongings: Belongings) -> None:
        """Remove an execution with what is said to go with it; what still runs is stopped. Raises `NotFound`."""
        key = (tenant, execution)
        place = await self._lives.execution(key)
        removed = await self._db.transact(delete, key, belongings, self._now())
        if removed is None:
            raise NotFound(f"Execution '{execution}' not found")
        self._lives.forget(key)
        for watcher in self._watchers.of(key):
            watcher.tell_gone()
        await self._after(removed)
        if belongings.files:
            await self._storage.delete_below(tenant, paths.execution_folder(place.namespace, place.flow_id, place.id))

    async def _after(self, removed: Removed) -> None:
        self._relay.take(removed.messages)
        for timer in removed.timers:
            self._alarms.set(timer)
        for job in removed.held:
            if job.worker is not None:
                await self._dispatch.kill(job.worker, Kill(job.id, job.fence))


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
