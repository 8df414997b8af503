"""Jobs: who may work on an attempt. Only a row here says who holds it, only its fence who is heard.

queued ──grant──▶ running ──finish──▶ done
  ▲  │               │ │
  │  └──drop──▶      │ └──stop──▶ killing ──finish──▶ done
  │        dropped   │
  └──release─────────┘   (lease over: fence + 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, select, text

from casemate.identifiers import ExecutionId, Fence, JobId, TaskRunId, TenantId, WorkerId
from casemate.store.database import Tx
from casemate.store.schema import Instant
from casemate.store.schema import jobs as table

FOLDER = "folder"
"""The queue of jobs that work in a folder which another job holds: nobody is hinted, its holder asks for them."""

_NO_FENCE = Fence(0)

_AT_ONCE = 5_000
"""How many values one statement may hold."""


class JobState(StrEnum):
    """State of a job."""

    QUEUED = "queued"  #: waits for a worker
    RUNNING = "running"  #: a worker holds it
    KILLING = "killing"  #: the worker that holds it was told to stop
    DONE = "done"  #: its result was applied
    DROPPED = "dropped"  #: stopped before a worker took it


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One attempt as work for a worker. `deliveries` counts how often it was granted."""

    id: JobId
    tenant: TenantId
    execution: ExecutionId
    task_run: TaskRunId
    attempt: int
    queue: str = "default"
    state: JobState = JobState.QUEUED
    worker: WorkerId | None = None
    fence: Fence = _NO_FENCE
    deliveries: int = 0
    lease_until: datetime | None = None

    @property
    def held(self) -> bool:
        """Does a worker hold it?"""
        return self.state in (JobState.RUNNING, JobState.KILLING)


_HELD = (JobState.RUNNING.value, JobState.KILLING.value)
_OPEN = (JobState.QUEUED.value, *_HELD)

_GET = select(table).where(table.c.id == bindparam("key_id"))
_SAVE = table.update().where(table.c.id == bindparam("key_id"), table.c.fence == bindparam("key_fence"))
_KNOWN = select(table.c.id).where(table.c.id.in_(bindparam("key_ids", expanding=True)))
_OFFER = text(
    "INSERT INTO jobs (id, tenant, execution, task_run, attempt, queue, state, fence, deliveries, hinted_at) "
    "VALUES (:id, :tenant, :execution, :task_run, :attempt, :queue, :state, :fence, :deliveries, :hinted_at) "
    "ON CONFLICT DO NOTHING"
).bindparams(bindparam("hinted_at", type_=Instant))
_GRANT = (
    table.update()
    .where(table.c.id == bindparam("key_id"), table.c.state == JobState.QUEUED.value)
    .values(
        state=JobState.RUNNING.value,
        worker=bindparam("to_worker"),
        fence=table.c.fence + 1,
        deliveries=table.c.deliveries + 1,
        lease_until=bindparam("to_lease"),
    )
    .returning(*table.c)
)
_FINISH = (
    table.update()
    .where(
        table.c.id == bindparam("key_id"),
        table.c.fence == bindparam("key_fence"),
        table.c.worker == bindparam("key_worker"),
        table.c.state.in_(_HELD),
    )
    .values(state=JobState.DONE.value, lease_until=None)
    .returning(*table.c)
)
_OF_RUN = select(table).where(
    table.c.tenant == bindparam("key_tenant"),
    table.c.execution == bindparam("key_execution"),
    table.c.task_run == bindparam("key_run"),
    table.c.state.in_(_OPEN),
)


def named(task_run: TaskRunId, attempt: int) -> JobId:
    """The job of an attempt. The name follows from the attempt, so offering it twice is one job."""
    return JobId(f"{task_run}-{attempt}")


def offer(tx: Tx, job: Job, now: datetime) -> bool:
    """Add a job; False if it is there already."""
    return tx.execute(_OFFER, _offered(job, now)).rowcount == 1


def offer_all(tx: Tx, jobs: Sequence[Job], now: datetime) -> tuple[Job, ...]:
    """Add jobs; those that were not there already."""
    known = {job for some in _some(jobs) for job in tx.scalars(_KNOWN, {"key_ids": [job.id for job in some]})}
    new = tuple(job for job in jobs if job.id not in known)
    if new:
        tx.execute(_OFFER, [_offered(job, now) for job in new])
    return new


def _some(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    return (jobs[begin : begin + _AT_ONCE] for begin in range(0, len(jobs), _AT_ONCE))


def _offered(job: Job, now: datetime) -> dict[str, Any]:
    return {
        "id": job.id,
        "tenant": job.tenant,
        "execution": job.execution,
        "task_run": job.task_run,
        "attempt": job.attempt,
        "queue": job.queue,
        "state": job.state.value,
        "fence": job.fence,
        "deliveries": job.deliveries,
        "hinted_at": now,
    }


def get(tx: Tx, job: JobId) -> Job | None:
    """The job; its id is unguessable and names its tenant, which callers compare."""
    row = tx.execute(_GET, {"key_id": job}).first()
    return None if row is None else _job(row)


def of_task_run(tx: Tx, tenant: TenantId, execution: ExecutionId, task_run: TaskRunId) -> Job | None:
    """The job of a task run that is not over yet."""
    row = tx.execute(_OF_RUN, {"key_tenant": tenant, "key_execution": execution, "key_run": task_run}).first()
    return None if row is None else _job(row)


def grant(tx: Tx, job: JobId, worker: WorkerId, lease_until: datetime) -> Job | None:
    """Give a queued job to a worker under a new fence; None if it is not queued (any more)."""
    row = tx.execute(_GRANT, {"key_id": job, "to_worker": worker, "to_lease": lease_until}).first()
    return None if row is None else _job(row)


def finish(tx: Tx, job: JobId, fence: Fence, worker: WorkerId | None) -> Job | None:
    """Its result is applied in this transaction; None if this worker does not hold it under this fence."""
    row = tx.execute(_FINISH, {"key_id": job, "key_fence": fence, "key_worker": worker}).first()
    return None if row is None else _job(row)


def release(tx: Tx, job: Job) -> Job:
    """Put a job back in the queue; the fence grows, so its former holder is no longer heard."""
    freed = replace(job, state=JobState.QUEUED, worker=None, fence=Fence(job.fence + 1), lease_until=None)
    _saved(tx, job, freed)
    return freed


def drop(tx: Tx, job: Job) -> None:
    """Nobody shall take it any more."""
    _saved(tx, job, replace(job, state=JobState.DROPPED, lease_until=None))


def stop(tx: Tx, job: Job) -> None:
    """Its holder shall stop it; it still may report under its fence."""
    _saved(tx, job, replace(job, state=JobState.KILLING))


def _saved(tx: Tx, before: Job, after: Job) -> bool:
    values = {
        "state": after.state.value,
        "worker": after.worker,
        "fence": after.fence,
        "deliveries": after.deliveries,
        "lease_until": after.lease_until,
    }
    return tx.execute(_SAVE, {**values, "key_id": before.id, "key_fence": before.fence}).rowcount == 1


def renew(
    tx: Tx, worker: WorkerId, holds: Sequence[tuple[JobId, Fence]], until: datetime
) -> tuple[tuple[JobId, Fence], ...]:
    """Extend the leases of what the worker really holds.

    Returns what it has to stop: what went to someone else, what is over, what is being killed.
    """
    if not holds:
        return ()
    rows = tx.execute(select(table).where(table.c.id.in_([job for job, _ in holds]), table.c.worker == worker))
    stored = {job.id: job for job in map(_job, rows)}
    held = [job for job, fence in holds if job in stored and stored[job].held and stored[job].fence == fence]
    if held:
        tx.execute(table.update().where(table.c.id.in_(held)).values(lease_until=until))
    going_on = {job for job in held if stored[job].state is JobState.RUNNING}
    return tuple((job, fence) for job, fence in holds if job not in going_on)


def overdue(tx: Tx, now: datetime) -> tuple[Job, ...]:
    """Held jobs of every tenant whose lease is over."""
    rows = tx.execute(select(table).where(table.c.state.in_(_HELD), table.c.lease_until < now))
    return tuple(_job(row) for row in rows)


def held_by_others(tx: Tx, workers: Iterable[WorkerId]) -> tuple[Job, ...]:
    """Held jobs of every tenant whose worker is none of these."""
    rows = tx.execute(select(table).where(table.c.state.in_(_HELD), table.c.worker.not_in(tuple(workers))))
    return tuple(_job(row) for row in rows)


def holders(tx: Tx) -> frozenset[WorkerId]:
    """The workers that hold jobs of any tenant."""
    return frozenset(tx.scalars(select(table.c.worker).where(table.c.state.in_(_HELD)).distinct()))


def queued(tx: Tx) -> tuple[Job, ...]:
    """Jobs of every tenant that wait for a worker, those that were hinted longest ago first."""
    return _waiting(tx, table.c.state == JobState.QUEUED.value, None)


def unheard(tx: Tx, before: datetime, limit: int) -> tuple[Job, ...]:
    """The same, of those that were last hinted before this date."""
    return _waiting(tx, (table.c.state == JobState.QUEUED.value) & (table.c.hinted_at < before), limit)


def _waiting(tx: Tx, which: ColumnElement[bool], limit: int | None) -> tuple[Job, ...]:
    rows = tx.execute(select(table).where(which, table.c.queue != FOLDER).order_by(table.c.hinted_at).limit(limit))
    return tuple(_job(row) for row in rows)


def hinted(tx: Tx, jobs: Iterable[Job], now: datetime) -> None:
    """Remember that they were hinted again."""
    keys = [{"key_id": job.id, "hinted_at": now} for job in jobs]
    if keys:
        tx.execute(table.update().where(table.c.id == bindparam("key_id")), keys)


def of_execution(tx: Tx, tenant: TenantId, execution: ExecutionId) -> tuple[Job, ...]:
    """All jobs of an execution."""
    rows = tx.execute(select(table).where(table.c.tenant == tenant, table.c.execution == execution))
    return tuple(_job(row) for row in rows)


def delete(tx: Tx, tenant: TenantId, execution: ExecutionId) -> None:
    """Remove the jobs of an execution; whoever holds one learns it from its next heartbeat."""
    tx.execute(table.delete().where(table.c.tenant == tenant, table.c.execution == execution))


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        tenant=row.tenant,
        execution=row.execution,
        task_run=row.task_run,
        attempt=row.attempt,
        queue=row.queue,
        state=JobState(row.state),
        worker=row.worker,
        fence=row.fence,
        deliveries=row.deliveries,
        lease_until=row.lease_until,
    )
