"""Watching executions and their log entries."""

from __future__ import annotations

import asyncio

import pytest

from casemate.executions import Execution, State
from casemate.identifiers import MAIN
from casemate.jobs import Logged, LogLine
from casemate.orchestrator import NotFound
from casemate.store.logs import Wanted

from .parts import ONE, START, TWO, Plane, claimed, finished, working

pytestmark = pytest.mark.anyio


async def test_the_present_state_comes_first_and_the_end_last(service: Plane):
    execution = await service.orchestrator.create(await service.save(TWO))
    link = await service.link()
    seen: list[Execution] = []

    async def watch() -> None:
        seen.extend([each async for each in service.orchestrator.watch(MAIN, execution.id)])

    async with asyncio.TaskGroup() as group, asyncio.timeout(20):
        group.create_task(watch())
        for _ in range(2):
            await link.report(finished(await claimed(link)))
    versions = [each.version for each in seen]
    assert versions == sorted(set(versions))
    assert seen[0].state is State.RUNNING
    assert seen[-1].state is State.SUCCESS


async def test_an_ended_execution_is_shown_once(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    async with working(await service.link()):
        await service.ended(execution)
    assert [each.state async for each in service.orchestrator.watch(MAIN, execution.id)] == [State.SUCCESS]


async def test_a_slow_watcher_misses_changes_but_not_the_end(service: Plane):
    flow = await service.save(f"""
id: many
namespace: company.team
tasks:
{"".join(f"- {{id: t{n}, type: io.kestra.plugin.core.log.Log, message: x}}{chr(10)}" for n in range(60))}""")
    execution = await service.orchestrator.create(flow)
    watching = service.orchestrator.watch(MAIN, execution.id)
    await anext(watching)
    async with working(await service.link()):
        await service.ended(execution)
    rest = [each async for each in watching]
    assert 0 < len(rest) <= 64
    assert rest[-1].state is State.SUCCESS


async def test_who_takes_long_over_a_change_rests_but_hears_of_the_end_at_once(service: Plane):
    execution = await service.orchestrator.create(await service.save(TWO))
    link = await service.link()
    first = await claimed(link)
    watching = service.orchestrator.watch(MAIN, execution.id)
    await anext(watching)
    await asyncio.sleep(2)  # what it does with the change, and it rests three times as long
    await link.report(finished(first))
    following = asyncio.ensure_future(anext(watching))
    second = await claimed(link)
    assert not following.done()
    await link.report(finished(second))
    async with asyncio.timeout(3):
        seen = [await following, *[each async for each in watching]]
    assert seen[-1].state is State.SUCCESS


@pytest.mark.parametrize("watch", ["watch", "watch_logs"])
async def test_what_is_not_there_cannot_be_watched(service: Plane, watch: str):
    with pytest.raises(NotFound):
        await anext(getattr(service.orchestrator, watch)(MAIN, "none"))


@pytest.mark.parametrize("watch", ["watch", "watch_logs"])
async def test_watching_ends_when_the_execution_is_deleted(service: Plane, watch: str):
    execution = await service.orchestrator.create(await service.save(ONE))

    async def follow() -> None:
        async for _ in getattr(service.orchestrator, watch)(MAIN, execution.id):
            pass

    async with asyncio.TaskGroup() as group, asyncio.timeout(10):
        group.create_task(follow())
        await asyncio.sleep(0)
        await service.orchestrator.delete(MAIN, execution.id)


async def test_log_entries_come_as_they_are_written_none_twice_none_lost(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    seen: list[str] = []

    async def watch() -> None:
        seen.extend([entry.message async for entry in service.orchestrator.watch_logs(MAIN, execution.id)])

    written = [f"line {number}" for number in range(1200)]
    async with asyncio.TaskGroup() as group, asyncio.timeout(20):
        group.create_task(watch())
        for begin in range(0, 1200, 100):
            lines = tuple(LogLine(at=START, level="INFO", message=each) for each in written[begin : begin + 100])
            await link.report(Logged(job=grant.job, fence=grant.fence, lines=lines))
        await link.report(finished(grant, "SUCCESS", "last"))
    assert seen == [*written, "last"]


async def test_only_wanted_log_entries_come(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    warn = LogLine(at=START, level="WARN", message="careful")
    await link.report(Logged(job=grant.job, fence=grant.fence, lines=(warn,)))
    await link.report(finished(grant, "SUCCESS", "fine"))
    entries = service.orchestrator.watch_logs(MAIN, execution.id, Wanted(level="WARN"))
    assert [entry.message async for entry in entries] == ["careful"]
