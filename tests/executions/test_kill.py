"""A kill stops what runs, and is over when everything is still."""

from __future__ import annotations

from tests.executions.driver import House, flow, flowable, work

from casemate.executions import Begin, KillJob, State, TaskStarted


def test_an_execution_is_killed_when_its_jobs_have_ended():
    house = House.of(flow(flowable("Sequential", "s", work("a"), work("never")), errors=(work("never2"),))).begin()
    house.tell(TaskStarted("r2", 1))
    house.kill()

    assert KillJob("r2") in house.commands
    assert house.trace == ["s RUNNING", "a RUNNING"]
    assert house.state is State.KILLING

    house.finish("r2", 1, State.KILLED)
    assert house.trace == ["s KILLED", "a KILLED"]
    assert house.history() == ["CREATED", "RUNNING", "KILLING", "KILLED"]


def test_what_no_worker_holds_is_killed_at_once():
    house = House.of(flow(flowable("Parallel", "p", work("a"), work("b")))).begin()
    house.kill()

    assert house.trace == ["p KILLED", "a KILLED", "b KILLED"]
    assert {KillJob("r2"), KillJob("r3")} <= set(house.commands)
    assert house.state is State.KILLED


def test_a_kill_waits_for_the_last_job():
    house = House.of(flow(flowable("Parallel", "p", work("a"), work("b"), work("c")))).begin()
    house.tell(TaskStarted("r2", 1))
    house.tell(TaskStarted("r3", 1))
    house.kill()
    house.finish("r2", 1, State.KILLED)

    assert house.trace == ["p RUNNING", "a KILLED", "b RUNNING", "c KILLED"]
    assert house.state is State.KILLING
    house.finish("r3", 1, State.SUCCESS)
    assert house.trace == ["p KILLED", "a KILLED", "b SUCCESS", "c KILLED"]
    assert house.state is State.KILLED


def test_an_execution_that_has_not_begun_is_killed_at_once():
    house = House.of(flow(work("a")))
    house.kill()

    assert house.history() == ["CREATED", "KILLING", "KILLED"]
    assert house.runs == []


def test_nothing_starts_after_a_kill():
    house = House.of(flow(flowable("Sequential", "s", work("a"), work("never")), finally_=(work("never2"),))).begin()
    house.tell(TaskStarted("r2", 1))
    house.kill()
    house.finish("r2", 1, State.SUCCESS)

    assert house.trace == ["s KILLED", "a SUCCESS"]


def test_a_second_kill_changes_nothing():
    house = House.of(flow(work("a"))).begin()
    house.tell(TaskStarted("r1", 1))
    house.kill()
    before = house.execution

    assert house.kill().execution is before


def test_looking_again_repeats_the_kill_of_what_still_runs():
    house = House.of(flow(work("a"))).begin()
    house.tell(TaskStarted("r1", 1))
    house.kill()

    assert house.tell(Begin()).commands == (KillJob("r1"),)
    assert house.state is State.KILLING


def test_a_loop_of_many_is_killed():
    loop = flowable("ForEach", "each", work("a"), properties={"values": [*map(str, range(50))], "concurrencyLimit": 0})
    house = House.of(flow(loop)).begin()
    held = house.start_all()
    house.kill()
    for run, attempt in held:
        house.finish(run, attempt, State.KILLED)

    assert house.state is State.KILLED
    assert {run.state for run in house.runs} == {State.KILLED}
