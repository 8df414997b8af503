"""A job that no worker takes in time fails, as its timeout says."""

from __future__ import annotations

from datetime import timedelta

from tests.executions.driver import NOW, House, flow, work

from casemate.executions import Begin, KillJob, TaskStarted, TimerDue
from casemate.flows import Retry

KEY = "timeout:r1:0"


def waiting(**more):
    """A house where nobody takes the job, though an hour was enough."""
    house = House.of(flow(work("a", timeout="PT1H", **more), errors=(work("e"),))).begin()
    house.now = house.timers.pop(KEY)
    return house


def test_what_nobody_takes_in_time_fails():
    house = waiting()
    house.tell(TimerDue(KEY))

    assert KillJob("r1") in house.commands
    assert house.trace == ["a FAILED", "e CREATED"]
    assert [attempt.history.current.value for attempt in house.named("a").attempts] == ["FAILED"]
    assert "Timeout: no worker took up the task within PT1H" in house.logs


def test_it_may_be_tried_again_with_all_its_time():
    house = waiting(retry=Retry(kind="constant", max_attempt=2, interval=timedelta(minutes=1)))
    house.tell(TimerDue(KEY))
    assert house.state.value == "RETRYING"
    house.jobs.clear()
    house.step()

    assert list(house.jobs) == [("r1", 2)]
    assert house.timers["timeout:r1:1"] == house.named("a").due == house.now + timedelta(hours=1)


def test_once_a_worker_has_it_the_worker_counts():
    house = House.of(flow(work("a", timeout="PT1H"))).begin()
    assert house.timers == {KEY: house.now + timedelta(hours=1)}
    house.tell(TaskStarted("r1", 1))
    assert house.timers == {}
    before = house.execution

    assert house.tell(TimerDue(KEY)).execution is before


def test_after_a_crash_the_deadline_is_the_same():
    house = House.of(flow(work("a", timeout="PT1H"))).begin()
    due = house.timers.pop(KEY)
    house.now = NOW + timedelta(minutes=30)
    house.tell(Begin())

    assert house.timers == {KEY: due}


def test_a_timeout_may_be_an_expression():
    house = House.of(flow(work("a", timeout="{{ inputs.patience }}")), {"patience": "PT2H"}).begin()

    assert house.timers == {KEY: house.now + timedelta(hours=2)}


def test_a_timeout_that_only_the_worker_can_tell_is_left_to_it():
    for timeout in ("{{ kv('patience') }}", "{{ nothing }}", "soon"):
        house = House.of(flow(work("a", timeout=timeout))).begin()
        assert house.timers == {}
        assert list(house.jobs) == [("r1", 1)]
