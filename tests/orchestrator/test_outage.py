"""A database that cannot be written for a while: nothing is lost, nobody is taken for dead who lives."""

from __future__ import annotations

import asyncio

import pytest

from casemate.dispatch import LinkLost
from casemate.executions import State
from casemate.jobs import Heartbeat
from casemate.store import StoreUnavailable
from tests.disks import full_disk

from .parts import ONE, TWO, Clock, Plane, claimed, finished, working

pytestmark = pytest.mark.anyio


async def test_a_report_is_not_acknowledged_before_it_is_written(service: Plane):
    execution = await service.orchestrator.create(await service.save(TWO))
    link = await service.link()
    first = await claimed(link)
    with full_disk():
        with pytest.raises(LinkLost):
            await link.report(finished(first, outputs={"value": "x"}))
        with pytest.raises(LinkLost):
            await link.report(finished(first, outputs={"value": "x"}))
    assert await link.report(finished(first, outputs={"value": "x"}))
    async with working(link) as done:
        assert (await service.ended(execution)).state is State.SUCCESS
    assert [grant.task.id for grant in done] == ["second"]


async def test_an_execution_is_not_created_before_it_is_written(service: Plane):
    flow = await service.save(ONE)
    with full_disk(), pytest.raises(StoreUnavailable):
        await service.orchestrator.create(flow)
    execution = await service.orchestrator.create(flow)
    async with working(await service.link()):
        assert (await service.ended(execution)).state is State.SUCCESS


async def test_workers_are_not_taken_for_dead_while_nobody_could_hear_them(service: Plane, clock: Clock):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    job = await claimed(link)
    with full_disk():
        clock.forward(minutes=5)
        with pytest.raises(LinkLost):
            await link.heartbeat(Heartbeat(worker=link.worker, holds=((job.job, job.fence),)))
    await service.orchestrator.tend()
    assert await link.heartbeat(Heartbeat(worker=link.worker, holds=((job.job, job.fence),))) == ()
    clock.forward(seconds=11)
    await service.orchestrator.tend()
    assert await link.report(finished(job))
    ended = await service.ended(execution)
    assert [len(run.attempts) for run in ended.task_runs.values()] == [1]


async def test_a_worker_that_died_meanwhile_is_missed_a_little_later(service: Plane, clock: Clock):
    await service.orchestrator.create(await service.save(ONE))
    dead, alive = await service.link("dead"), await service.link("alive")
    before = await claimed(dead)
    with full_disk():
        clock.forward(minutes=5)
        with pytest.raises(LinkLost):
            await alive.heartbeat(Heartbeat(worker=alive.worker, holds=()))
    await service.orchestrator.tend()
    assert service.orchestrator.desk.late == 0
    clock.forward(seconds=11)
    await service.orchestrator.tend()
    after = await claimed(alive)
    assert after.job == before.job
    assert after.fence > before.fence


async def test_two_workers_report_one_job_and_one_is_heard(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    holder, other = await service.link("w1"), await service.link("w2")
    job = await claimed(holder)
    assert not await other.report(finished(job, "FAILED", "stolen"))
    heard = await asyncio.gather(*(holder.report(finished(job, "SUCCESS", "mine")) for _ in range(3)))
    assert sorted(heard) == [False, False, True]
    assert not await holder.report(finished(job, "FAILED", "changed my mind"))
    ended = await service.ended(execution)
    assert ended.state is State.SUCCESS
    assert service.orchestrator.desk.late == 4
