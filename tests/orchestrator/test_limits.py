"""Concurrency limits, SLAs, what follows an end, and dates: in real rows, through crashes and races."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from casemate.executions import Execution, State, WrongChoice
from casemate.identifiers import MAIN
from casemate.store import jobs, logs, slots, timers

from .parts import Clock, Plane, claimed, finished, plane, working

pytestmark = pytest.mark.anyio

LIMITED = """
id: limited
namespace: company.team
concurrency: {{limit: {limit}, behavior: {behavior}}}
tasks:
  - {{id: say, type: io.kestra.plugin.core.log.Log, message: x}}
"""

FOLLOWED = """
id: followed
namespace: company.team
concurrency: {limit: 1}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: x}
afterExecution:
  - {id: last, type: io.kestra.plugin.core.log.Log, message: "{{ execution.state }}"}
"""

HURRIED = """
id: hurried
namespace: company.team
sla:
  - {id: quick, type: MAX_DURATION, duration: PT1H, behavior: FAIL, labels: {sla: violated}}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: x}
"""


def limited(limit: int = 1, behavior: str = "QUEUE") -> str:
    return LIMITED.format(limit=limit, behavior=behavior)


async def state(service: Plane, execution: Execution) -> State:
    return (await service.orchestrator.get(MAIN, execution.id)).state


async def until(service: Plane, execution: Execution, wanted: State) -> None:
    async with asyncio.timeout(20):
        async for seen in service.orchestrator.watch(MAIN, execution.id):
            if seen.state is wanted:
                return
    raise AssertionError(f"it never became {wanted}")


async def test_those_that_wait_are_let_in_one_by_one_in_their_order(service: Plane):
    flow, link = await service.save(limited()), await service.link()
    created = []
    for _ in range(4):
        created.append(await service.orchestrator.create(flow))
        service.clock.forward(seconds=1)
    assert [await state(service, one) for one in created] == [State.RUNNING] + [State.QUEUED] * 3

    for number, one in enumerate(created):
        grant = await claimed(link)
        assert grant.place.execution == one.id
        assert [await state(service, other) for other in created[number + 1 :]] == [State.QUEUED] * (3 - number)
        assert await link.report(finished(grant))
    for one in created:
        assert (await service.ended(one)).state is State.SUCCESS


async def test_as_many_run_as_may_however_many_start_at_the_same_time(service: Plane):
    flow = await service.save(limited(limit=3))
    created = await asyncio.gather(*(service.orchestrator.create(flow) for _ in range(12)))
    states = [await state(service, one) for one in created]
    assert states.count(State.RUNNING) == 3
    assert states.count(State.QUEUED) == 9
    seen = []

    async def count() -> None:
        while True:
            ((_, running),) = await service.db.read(slots.limited, MAIN)
            seen.append(running)

    counting = asyncio.create_task(count())
    async with working(await service.link("w1")), working(await service.link("w2")):
        for one in created:
            assert (await service.ended(one)).state is State.SUCCESS
    counting.cancel()
    assert max(seen) == 3


@pytest.mark.parametrize("way", ["kill", "fail", "delete"])
async def test_a_place_is_free_however_its_holder_goes(service: Plane, way: str):
    flow, link = await service.save(limited()), await service.link()
    first, second = await service.orchestrator.create(flow), await service.orchestrator.create(flow)
    grant = await claimed(link)
    if way == "fail":
        await link.report(finished(grant, "FAILED"))
    elif way == "kill":
        await service.orchestrator.kill(MAIN, first.id)
        assert await state(service, second) is State.QUEUED
        await link.report(finished(grant, "KILLED"))
    else:
        await service.orchestrator.delete(MAIN, first.id)
    await until(service, second, State.RUNNING)


async def test_killing_one_that_waits_lets_nobody_else_in(service: Plane):
    flow = await service.save(limited())
    first, second, third = [await service.orchestrator.create(flow) for _ in range(3)]
    await service.orchestrator.kill(MAIN, second.id)
    assert await state(service, second) is State.KILLED
    assert await state(service, first) is State.RUNNING
    assert await state(service, third) is State.QUEUED


async def test_killing_one_of_two_lets_one_in(service: Plane):
    flow, link = await service.save(limited(limit=2)), await service.link()
    created = []
    for _ in range(4):
        created.append(await service.orchestrator.create(flow))
        service.clock.forward(seconds=1)
    grant = await claimed(link)
    await service.orchestrator.kill(MAIN, grant.place.execution)
    await link.report(finished(grant, "KILLED"))
    await until(service, created[2], State.RUNNING)
    assert [await state(service, one) for one in created].count(State.RUNNING) == 2
    assert await state(service, created[3]) is State.QUEUED


async def test_a_higher_limit_lets_in_those_that_wait(service: Plane):
    flow = await service.save(limited())
    created = []
    for _ in range(4):
        created.append(await service.orchestrator.create(flow))
        service.clock.forward(seconds=1)
    await service.save(limited(limit=3))
    await service.orchestrator.tend()
    for one in created[:3]:
        await until(service, one, State.RUNNING)
    assert await state(service, created[3]) is State.QUEUED


async def test_a_lower_limit_holds_for_whoever_comes_next(service: Plane):
    flow, link = await service.save(limited(limit=2)), await service.link()
    running = [await service.orchestrator.create(flow) for _ in range(2)]
    waiting = await service.orchestrator.create(await service.save(limited(limit=1)))
    grant = await claimed(link)
    await link.report(finished(grant))
    await service.ended(next(one for one in running if one.id == grant.place.execution))
    assert await state(service, waiting) is State.QUEUED

    await link.report(finished(await claimed(link)))
    await until(service, waiting, State.RUNNING)


async def test_without_a_limit_everyone_goes(service: Plane):
    flow = await service.save(limited())
    created = [await service.orchestrator.create(flow) for _ in range(3)]
    await service.save(limited().replace("concurrency: {limit: 1, behavior: QUEUE}", ""))
    await service.orchestrator.tend()
    for one in created:
        await until(service, one, State.RUNNING)


@pytest.mark.parametrize(("behavior", "end"), [("CANCEL", State.CANCELLED), ("FAIL", State.FAILED)])
async def test_who_is_turned_away_takes_no_place(service: Plane, behavior: str, end: State):
    flow, link = await service.save(limited(behavior=behavior)), await service.link()
    first = await service.orchestrator.create(flow)
    for _ in range(3):
        turned_away = await service.orchestrator.create(flow)
        assert turned_away.state is end
    (said,) = await service.db.read(logs.of_execution, MAIN, turned_away.id)
    assert said.message == f"Flow is {end} due to concurrency limit exceeded"
    await link.report(finished(await claimed(link)))
    await service.ended(first)
    assert (await service.orchestrator.create(flow)).state is State.RUNNING


async def test_by_hand_one_that_waits_runs_beside_the_others(service: Plane):
    flow = await service.save(limited())
    first, second, third = [await service.orchestrator.create(flow) for _ in range(3)]
    assert (await service.orchestrator.actions.unqueue(MAIN, second.id)).state is State.RUNNING
    assert (await service.orchestrator.actions.unqueue(MAIN, third.id, State.CANCELLED)).state is State.CANCELLED
    assert await state(service, first) is State.RUNNING


async def test_one_that_is_run_again_waits_its_turn(service: Plane):
    flow, link = await service.save(limited()), await service.link()
    first, second = [await service.orchestrator.create(flow) for _ in range(2)]
    await link.report(finished(await claimed(link), "FAILED"))
    await until(service, second, State.RUNNING)
    await service.orchestrator.actions.restart(MAIN, first.id)
    await until(service, first, State.QUEUED)

    await link.report(finished(await claimed(link)))
    await until(service, first, State.RUNNING)
    await link.report(finished(await claimed(link)))
    assert (await service.ended(first)).state is State.SUCCESS


async def test_the_queue_outlives_the_service(tmp_path: Path, clock: Clock):
    async with plane(tmp_path, clock) as before:
        flow = await before.save(limited())
        created = []
        for _ in range(3):
            created.append(await before.orchestrator.create(flow))
            clock.forward(seconds=1)
    async with plane(tmp_path, clock) as after:
        assert [await state(after, one) for one in created] == [State.RUNNING, State.QUEUED, State.QUEUED]
        async with working(await after.link()) as done:
            for one in created:
                assert (await after.ended(one)).state is State.SUCCESS
    assert [grant.place.execution for grant in done] == [one.id for one in created]


async def test_a_place_is_held_until_what_follows_the_end_has_ended(service: Plane):
    flow, link = await service.save(FOLLOWED), await service.link()
    first, second = [await service.orchestrator.create(flow) for _ in range(2)]
    await link.report(finished(await claimed(link)))
    last = await claimed(link)
    assert (last.task.id, last.variables["execution"]["state"]) == ("last", "SUCCESS")
    assert await state(service, first) is State.SUCCESS
    assert await state(service, second) is State.QUEUED

    await link.report(finished(last, "FAILED"))
    assert (await service.ended(first)).state is State.SUCCESS
    await until(service, second, State.RUNNING)


async def test_what_follows_the_end_outlives_the_service(tmp_path: Path):
    async with plane(tmp_path) as before:
        execution = await before.orchestrator.create(await before.save(FOLLOWED))
        link = await before.link()
        await link.report(finished(await claimed(link)))
        await claimed(link)
    async with plane(tmp_path) as after, working(await after.link()) as done:
        ended = await after.ended(execution)
    assert ended.over
    assert [run.task_id for run in ended.task_runs.values()] == ["say", "last"]
    assert [grant.task.id for grant in done] == ["last"]


async def test_too_long_is_noticed_even_by_the_next_start_of_the_service(tmp_path: Path, clock: Clock):
    async with plane(tmp_path, clock) as before:
        execution = await before.orchestrator.create(await before.save(HURRIED))
        await claimed(await before.link())
    clock.forward(hours=2)
    async with plane(tmp_path, clock) as after:
        ended = await after.ended(execution)
        said = [entry.message for entry in await after.db.read(logs.of_execution, MAIN, execution.id)]
    assert ended.state is State.FAILED
    assert ("sla", "violated") in {(label.key, label.value) for label in ended.labels}
    assert any(line.startswith("Execution failed due to SLA 'quick' violated") for line in said)


async def test_who_was_quick_leaves_no_timer(service: Plane):
    execution = await service.orchestrator.create(await service.save(HURRIED))
    assert len(await service.db.read(timers.all_of_service)) == 1
    async with working(await service.link()):
        await service.ended(execution)
    assert await service.db.read(timers.all_of_service) == ()


async def test_a_date_outlives_the_service(tmp_path: Path, clock: Clock):
    later = clock() + timedelta(hours=1)
    async with plane(tmp_path, clock) as before:
        execution = await before.orchestrator.create(await before.save(limited()), schedule_date=later)
        assert execution.state is State.CREATED
    async with plane(tmp_path, clock) as between:
        assert await state(between, execution) is State.CREATED
    clock.forward(hours=2)
    async with plane(tmp_path, clock) as after, working(await after.link()):
        ended = await after.ended(execution)
    assert [moment.state for moment in ended.history.moments] == [State.CREATED, State.RUNNING, State.SUCCESS]


async def test_who_waits_for_a_date_takes_no_place(service: Plane):
    flow = await service.save(limited())
    later = await service.orchestrator.create(flow, schedule_date=service.clock() + timedelta(hours=1))
    now = await service.orchestrator.create(flow)
    assert now.state is State.RUNNING
    service.clock.forward(hours=2)
    await service.orchestrator.tend()
    await until(service, later, State.QUEUED)


async def test_what_no_worker_takes_in_time_fails_and_is_not_granted(service: Plane):
    source = limited().replace("message: x}", "message: x, timeout: PT1H}")
    execution = await service.orchestrator.create(await service.save(source))
    service.clock.forward(hours=2)
    await service.orchestrator.tend()
    ended = await service.ended(execution)
    assert ended.state is State.FAILED
    (job,) = await service.db.read(jobs.of_execution, MAIN, execution.id)
    assert job.state is jobs.JobState.DROPPED


async def test_waiting_for_a_worker_counts_but_a_lost_worker_does_not(service: Plane):
    source = limited().replace("message: x}", "message: x, timeout: PT1H}")
    await service.orchestrator.create(await service.save(source))
    deadline = service.clock() + timedelta(hours=1)
    service.clock.forward(minutes=30)
    link = await service.link()
    assert (await claimed(link)).deadline == deadline
    service.clock.forward(minutes=1)
    await service.orchestrator.tend()
    assert (await claimed(link)).deadline is None


async def test_an_execution_that_is_too_large_is_refused(service: Plane):
    source = "id: big\nnamespace: company.team\ninputs: [{id: text, type: STRING}]\n" + limited().split("\n", 4)[4]
    flow = await service.save(source)
    with pytest.raises(WrongChoice, match=r"Message of size \d+ has exceeded the configured limit of 1048576"):
        await service.orchestrator.create(flow, {"text": "a" * 1_100_000})
    assert (await service.orchestrator.create(flow, {"text": "a" * 1_000_000})).state is State.RUNNING
