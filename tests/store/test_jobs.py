"""Jobs: the fence decides who is heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from casemate.store import Database, Job, JobState, jobs, workers

pytestmark = pytest.mark.anyio

JOB = Job(id=jobs.named("run", 1), tenant="main", execution="e1", task_run="run", attempt=1)


@pytest.fixture
async def job(db: Database, now) -> Job:
    await db.transact(jobs.offer, JOB, now)
    return JOB


async def granted(db: Database, now, worker: str = "w1") -> Job:
    return await db.transact(jobs.grant, JOB.id, worker, now + timedelta(seconds=45))


async def test_offering_twice_is_one_job(db: Database, job, now):
    assert not await db.transact(jobs.offer, job, now)
    assert await db.read(jobs.of_execution, "main", "e1") == (job,)


async def test_of_many_jobs_those_are_offered_that_are_not_there_yet(db: Database, job, now):
    await granted(db, now)
    many = [replace(JOB, id=jobs.named(f"run{number}", 1), task_run=f"run{number}") for number in range(12_000)]
    new = await db.transact(jobs.offer_all, [*many[:6_000], JOB, *many[6_000:]], now)
    assert new == tuple(many)
    assert await db.transact(jobs.offer_all, [JOB, *many], now) == ()
    assert await db.transact(jobs.offer_all, [], now) == ()
    assert len(await db.read(jobs.of_execution, "main", "e1")) == 12_001
    assert (await db.read(jobs.get, JOB.id)).state is JobState.RUNNING


async def test_a_job_is_granted_once(db: Database, job, now):
    first = await granted(db, now)
    assert (first.state, first.worker, first.fence, first.deliveries) == (JobState.RUNNING, "w1", 1, 1)
    assert await granted(db, now, "w2") is None
    assert await db.read(jobs.get, job.id) == first


async def test_only_the_true_holder_finishes_a_job_and_only_once(db: Database, job, now):
    first = await granted(db, now)
    assert await db.transact(jobs.finish, job.id, first.fence, "w2") is None
    assert await db.transact(jobs.finish, job.id, first.fence + 1, "w1") is None
    assert (await db.transact(jobs.finish, job.id, first.fence, "w1")).state is JobState.DONE
    assert await db.transact(jobs.finish, job.id, first.fence, "w1") is None
    assert await granted(db, now) is None


async def test_a_job_that_is_being_killed_can_be_finished(db: Database, job, now):
    first = await granted(db, now)
    await db.transact(jobs.stop, first)
    assert (await db.transact(jobs.finish, job.id, first.fence, "w1")).state is JobState.DONE


async def test_a_dropped_job_is_never_granted(db: Database, job, now):
    await db.transact(jobs.drop, job)
    assert await granted(db, now) is None


async def test_a_released_job_comes_back_under_a_higher_fence(db: Database, job, now):
    first = await granted(db, now)
    freed = await db.transact(jobs.release, first)
    again = await granted(db, now, "w2")
    assert first.fence < freed.fence < again.fence
    assert again.deliveries == 2


async def test_leases_are_renewed_for_the_true_holder_only(db: Database, job, now):
    first = await granted(db, now)
    later = now + timedelta(minutes=5)
    assert await db.transact(jobs.renew, "w2", ((job.id, first.fence),), later) == ((job.id, first.fence),)
    assert await db.transact(jobs.renew, "w1", ((job.id, first.fence + 1),), later) == ((job.id, first.fence + 1),)
    assert (await db.read(jobs.get, job.id)).lease_until == first.lease_until
    assert await db.transact(jobs.renew, "w1", ((job.id, first.fence), ("other", 1)), later) == (("other", 1),)
    assert (await db.read(jobs.get, job.id)).lease_until == later


async def test_a_job_that_is_being_killed_keeps_its_lease_but_must_stop(db: Database, job, now):
    first = await granted(db, now)
    await db.transact(jobs.stop, first)
    later = now + timedelta(minutes=5)
    assert await db.transact(jobs.renew, "w1", ((job.id, first.fence),), later) == ((job.id, first.fence),)
    stored = await db.read(jobs.get, job.id)
    assert (stored.state, stored.lease_until) == (JobState.KILLING, later)


async def test_overdue_are_held_jobs_whose_lease_is_over(db: Database, job, now):
    first = await granted(db, now)
    assert await db.read(jobs.overdue, now + timedelta(seconds=45)) == ()
    assert await db.read(jobs.overdue, now + timedelta(seconds=46)) == (first,)
    await db.transact(jobs.finish, first.id, first.fence, first.worker)
    assert await db.read(jobs.overdue, now + timedelta(days=1)) == ()


async def test_unheard_hints_are_found_and_remembered(db: Database, job, now):
    later = now + timedelta(seconds=30)
    assert await db.read(jobs.unheard, now, 10) == ()
    assert await db.read(jobs.unheard, later, 10) == (job,)
    await db.transact(jobs.hinted, (job,), later)
    assert await db.read(jobs.unheard, later, 10) == ()
    assert await db.read(jobs.queued) == (job,)
    await granted(db, now)
    assert await db.read(jobs.queued) == ()


async def test_the_open_job_of_a_task_run(db: Database, job, now):
    assert await db.read(jobs.of_task_run, "main", "e1", "run") == job
    assert await db.read(jobs.of_task_run, "acme", "e1", "run") is None
    await db.transact(jobs.drop, job)
    assert await db.read(jobs.of_task_run, "main", "e1", "run") is None


async def test_jobs_of_dead_workers_are_found(db: Database, job, now):
    await db.transact(workers.join, "w1", "boot-1", now)
    first = await granted(db, now)
    assert await db.read(jobs.held_by_others, ("w1",)) == ()
    await db.transact(workers.retire, "boot-2", now)
    assert await db.read(workers.running) == ()
    assert await db.read(jobs.held_by_others, ()) == (first,)


async def test_a_worker_may_join_again(db: Database, now):
    for boot in ("boot-1", "boot-2"):
        await db.transact(workers.join, "w1", boot, now)
    await db.transact(workers.retire, "boot-2", now)
    assert await db.read(workers.running) == ("w1",)


async def test_deleting_is_per_execution_and_tenant(db: Database, job):
    await db.transact(jobs.delete, "acme", "e1")
    assert await db.read(jobs.get, job.id) == job
    await db.transact(jobs.delete, "main", "e1")
    assert await db.read(jobs.get, job.id) is None
