"""Jobs that work in the folder of another one: who gets them, and what becomes of them when its holder is lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from casemate.dispatch import Ask, NotHeld, WorkerLink
from casemate.executions import State
from casemate.identifiers import MAIN
from casemate.jobs import Grant, Heartbeat, Hint, Kill, Over, Stale
from casemate.storage import paths
from casemate.store import jobs

from .parts import Clock, Plane, claimed, finished, plane

pytestmark = pytest.mark.anyio

SHARED = """
id: shared
namespace: company.team
tasks:
  - id: dir
    type: io.kestra.core.tasks.flows.Worker
    cache: {patterns: ["**"]}
    tasks:
      - id: first
        type: io.kestra.plugin.core.log.Log
        message: "{{ secret('TOKEN') }}"
      - id: second
        type: io.kestra.plugin.core.log.Log
        message: "{{ outputs.first.value }} {{ workerTaskrun.id }}"
"""

RETRY = "        retry: {type: constant, interval: PT10S, maxAttempt: 2}\n      - id: second"
RETRIED = SHARED.replace("      - id: second", RETRY)


async def opened(service: Plane, link: WorkerLink, source: str = SHARED) -> tuple[Grant, object]:
    """The grant of a folder, and the execution."""
    execution = await service.orchestrator.create(await service.save(source))
    return await claimed(link), execution


async def next_in(link: WorkerLink, holder: Grant) -> Grant:
    """The next job in the folder."""
    hint = await link.follow(holder.job, holder.fence)
    assert isinstance(hint, Hint), hint
    grant = await link.claim(hint)
    assert isinstance(grant, Grant), grant
    return grant


async def test_a_worker_gets_the_tasks_of_its_folder_one_by_one(service: Plane):
    link = await service.link()
    holder, execution = await opened(service, link)
    assert holder.shares
    first = await next_in(link, holder)
    assert first.within == holder.job
    assert "opensesame" not in repr(first)
    await link.report(finished(first, outputs={"value": "one"}))
    second = await next_in(link, holder)
    assert second.variables["outputs"]["first"]["value"] == "one"
    assert second.variables["workerTaskrun"]["id"] == holder.place.task_run
    await link.report(finished(second))
    assert await link.follow(holder.job, holder.fence) == Over()
    await link.report(finished(holder, outputs={"outputFiles": {}}))
    assert (await service.ended(execution)).state is State.SUCCESS


async def test_tasks_of_a_folder_are_hinted_to_nobody_and_refused_to_others(service: Plane):
    mine, other = await service.link("w1"), await service.link("w2")
    holder, _ = await opened(service, mine)
    hint = await mine.follow(holder.job, holder.fence)
    assert isinstance(hint, Hint)
    assert isinstance(await other.claim(hint), Stale)
    await service.orchestrator.tend()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await other.next()
    with pytest.raises(NotHeld):
        await other.follow(holder.job, holder.fence)
    assert isinstance(await mine.claim(hint), Grant)


async def test_the_question_what_comes_next_waits_for_a_retry(service: Plane, clock: Clock):
    link = await service.link()
    holder, _ = await opened(service, link, RETRIED)
    await link.report(finished(await next_in(link, holder), "FAILED"))
    waiting = asyncio.create_task(link.follow(holder.job, holder.fence))
    await asyncio.sleep(0)
    clock.forward(seconds=11)
    await service.orchestrator.tend()
    async with asyncio.timeout(5):
        hint = await waiting
    assert isinstance(hint, Hint)
    again = await link.claim(hint)
    assert isinstance(again, Grant)
    assert again.place.attempt == 2


async def test_after_a_crash_the_whole_directory_begins_anew(tmp_path: Path):
    async with plane(tmp_path) as before:
        link = await before.link("w1")
        holder, execution = await opened(before, link)
        first = await next_in(link, holder)
        await link.report(finished(first, outputs={"value": "one"}))
        second = await next_in(link, holder)
    async with plane(tmp_path) as after:
        link = await after.link("w2")
        again = await claimed(link)
        assert again.job == holder.job
        assert again.fence > holder.fence
        anew = await next_in(link, again)
        assert anew.task.id == "first"
        assert anew.place.task_run != first.place.task_run
        old = await after.link("w1")
        assert not await old.report(finished(second))
        assert not await old.report(finished(holder))
        await link.report(finished(anew, outputs={"value": "two"}))
        await link.report(finished(await next_in(link, again)))
        await link.report(finished(again))
        ended = await after.ended(execution)
    assert ended.state is State.SUCCESS
    assert [run.task_id for run in ended.task_runs.values()] == ["dir", "first", "second"]


async def test_a_task_that_is_lost_alone_is_not_repeated_in_a_folder_that_it_has_changed(service: Plane, clock: Clock):
    link = await service.link()
    holder, _ = await opened(service, link)
    first = await next_in(link, holder)
    clock.forward(seconds=30)
    await link.heartbeat(Heartbeat(worker=link.worker, holds=((holder.job, holder.fence),)))
    clock.forward(seconds=30)
    await service.orchestrator.tend()
    with pytest.raises(NotHeld):
        await link.follow(holder.job, holder.fence)
    stop = await link.heartbeat(
        Heartbeat(worker=link.worker, holds=((holder.job, holder.fence), (first.job, first.fence)))
    )
    assert {kill.job for kill in stop} == {holder.job, first.job}
    again = await claimed(link)
    assert again.job == holder.job
    assert (await next_in(link, again)).place.task_run != first.place.task_run


async def test_a_directory_whose_workers_are_lost_again_and_again_fails(tmp_path: Path):
    clock = Clock()
    async with plane(tmp_path, clock, deliveries=2) as service:
        link = await service.link()
        holder, execution = await opened(service, link)
        for _ in range(2):
            await next_in(link, holder)
            clock.forward(minutes=5)
            await service.orchestrator.tend()
            if (await service.orchestrator.get(MAIN, execution.id)).state is State.RUNNING:
                holder = await claimed(link)
        ended = await service.ended(execution)
    assert ended.state is State.FAILED
    assert [run.state for run in ended.task_runs.values()] == [State.FAILED, State.KILLED]


async def test_a_kill_reaches_the_task_and_the_holder_of_the_folder(service: Plane):
    link = await service.link()
    holder, execution = await opened(service, link)
    first = await next_in(link, holder)
    await service.orchestrator.kill(MAIN, execution.id)
    async with asyncio.timeout(5):
        killed = {(await link.next(kills_only=True)).job for _ in range(2)}
    assert killed == {holder.job, first.job}
    await link.report(finished(first, "KILLED"))
    await link.report(finished(holder, "KILLED"))
    assert (await service.ended(execution)).state is State.KILLED


async def test_a_holder_that_waits_hears_at_once_that_its_execution_was_deleted(service: Plane):
    link = await service.link()
    holder, execution = await opened(service, link)
    await next_in(link, holder)
    waiting = asyncio.create_task(link.follow(holder.job, holder.fence))
    await asyncio.sleep(0.05)
    await service.orchestrator.delete(MAIN, execution.id)
    with pytest.raises(NotHeld):
        async with asyncio.timeout(5):
            await waiting


async def test_a_job_that_was_forgotten_is_killed_and_writes_nothing_any_more(service: Plane, clock: Clock):
    link = await service.link()
    holder, execution = await opened(service, link)
    first = await next_in(link, holder)
    clock.forward(minutes=5)
    await service.orchestrator.tend()
    kill = await link.next(kills_only=True)
    assert kill == Kill(first.job, first.fence)
    assert not await link.report(finished(first))
    states = await service.db.read(jobs.of_execution, MAIN, execution.id)
    assert {job.id: job.state for job in states}[first.job] == "dropped"


async def test_a_cache_is_found_by_the_next_execution_while_it_is_young(service: Plane, clock: Clock):
    link = await service.link()

    async def content():
        yield b"packed"

    holder, _ = await opened(service, link)
    ask = Ask("cache", {"ttl": 60.0})
    assert (await link.ask(holder.job, holder.fence, ask)).value is None
    await link.put_cache(holder.job, holder.fence, content())
    uri = paths.cache_file(holder.place.namespace, holder.place.flow, holder.task.id, None)
    assert uri == "kestra:///company/team/shared/dir/cache/cache.zip"
    clock.time = await service.storage.modified(MAIN, uri) + timedelta(seconds=59)
    assert (await link.ask(holder.job, holder.fence, ask)).value == uri
    clock.forward(seconds=2)
    assert (await link.ask(holder.job, holder.fence, ask)).value is None
    assert (await link.ask(holder.job, holder.fence, Ask("cache", {"ttl": None}))).value == uri


async def test_only_a_working_directory_has_a_cache(service: Plane):
    link = await service.link()
    holder, _ = await opened(service, link)
    first = await next_in(link, holder)
    assert (await link.ask(first.job, first.fence, Ask("cache"))).error == "Only a WorkingDirectory has a cache."
