"""Failed attempts are tried again: by whose policy, when, and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.executions.driver import NOW, House, failing, flow, flowable, work

from casemate.executions import Begin, Replay, State, TaskStarted, TimerDue, WakeAt, replayed
from casemate.executions.retries import next_attempt
from casemate.flows import Retry


def seconds(number):
    return timedelta(seconds=number)


def constant(**more):
    return Retry(kind="constant", interval=seconds(1), **more)


def until(attempt):
    """A worker that succeeds at that attempt."""
    return lambda run, number: State.SUCCESS if number >= attempt else State.FAILED


@pytest.mark.parametrize(
    ("retry", "done", "delay"),
    [
        (constant(), 1, 1),
        (constant(max_attempt=3), 2, 1),
        (constant(max_attempt=3), 3, None),
        (Retry(kind="exponential", interval=seconds(2), max_interval=seconds(60)), 1, 0),
        (Retry(kind="exponential", interval=seconds(2), max_interval=seconds(60)), 3, 8),
        (Retry(kind="exponential", interval=seconds(2), max_interval=seconds(5)), 3, 5),
        (Retry(kind="exponential", interval=seconds(2), max_interval=seconds(60), delay_factor=3.9), 2, 6),
        (Retry(kind="random", min_interval=seconds(2), max_interval=seconds(6)), 1, 3),
        (constant(max_duration=seconds(11)), 1, 1),
        (constant(max_duration=seconds(10)), 1, None),
    ],
)
def test_the_date_of_the_next_attempt(retry, done, delay):
    begun = NOW - seconds(10)
    date = None if delay is None else NOW + seconds(delay)

    assert next_attempt(retry, done, begun, NOW, 0.25) == date


def test_a_failed_task_is_tried_again_until_it_succeeds():
    house = House.of(flow(work("a", retry=constant(max_attempt=5))), outcome=until(3)).run()

    assert house.trace == ["a SUCCESS"]
    assert len(house.named("a").attempts) == 3
    once = ["CREATED", "RUNNING", "FAILED", "RETRYING"]
    assert house.history("a") == [*once, *once, "CREATED", "RUNNING", "SUCCESS"]
    assert house.history() == ["CREATED", *["RUNNING", "RETRYING"] * 2, "RUNNING", "SUCCESS"]


def test_errors_do_not_start_before_the_last_attempt():
    tested = flow(work("a", retry=constant(max_attempt=2)), work("never"), errors=(work("e"),))
    house = House.of(tested, outcome=failing("a")).begin()
    house.step()

    assert house.trace == ["a RETRYING"]
    assert house.state is State.RETRYING
    assert house.run().trace == ["a FAILED", "e SUCCESS"]
    assert len(house.named("a").attempts) == 2


def test_a_success_after_a_retry_may_be_a_warning():
    house = House.of(flow(work("a", retry=constant(max_attempt=4, warning_on_retry=True))), outcome=until(4)).run()

    assert house.trace == ["a WARNING"]
    assert len(house.named("a").attempts) == 4


def test_a_success_at_the_first_attempt_is_no_warning():
    house = House.of(flow(work("a", retry=constant(max_attempt=4, warning_on_retry=True)))).run()

    assert house.trace == ["a SUCCESS"]


def test_a_failure_is_allowed_only_after_the_last_attempt():
    house = House.of(flow(work("a", retry=constant(max_attempt=3), allow_failure=True)), outcome=failing("a")).run()

    assert house.trace == ["a WARNING"]
    assert len(house.named("a").attempts) == 3


def test_the_policy_of_the_nearest_flowable_serves_its_tasks():
    inner = flowable("Sequential", "inner", work("a"), retry=constant(max_attempt=3))
    outer = flowable("Sequential", "outer", inner, retry=constant(max_attempt=5))
    house = House.of(flow(outer, retry=constant(max_attempt=7)), outcome=failing("a")).run()

    assert len(house.named("a").attempts) == 3
    assert house.state is State.FAILED


def test_the_policy_of_the_flow_serves_the_rest():
    house = House.of(flow(work("a"), retry=constant(max_attempt=4)), outcome=failing("a")).run()

    assert len(house.named("a").attempts) == 4


def test_tasks_beside_a_retrying_one_go_on():
    beside = flowable("Sequential", "s", work("b"), work("c"))
    house = House.of(
        flow(flowable("Parallel", "p", work("a", retry=constant(max_attempt=2)), beside)), outcome=failing("a")
    ).begin()
    house.step()
    house.step()

    assert house.trace == ["p RUNNING", "a RETRYING", "s RUNNING", "b SUCCESS", "c CREATED"]
    assert house.run().state is State.FAILED


def test_a_timer_of_an_earlier_attempt_changes_nothing():
    house = House.of(flow(work("a", retry=constant(max_attempt=5))), outcome=failing("a")).begin()
    house.step()
    key = next(iter(house.timers))
    house.step()
    house.step()
    before = house.execution

    assert house.tell(TimerDue(key)).execution is before


def test_a_timer_that_comes_too_early_is_set_again():
    house = House.of(flow(work("a", retry=constant(max_attempt=5))), outcome=failing("a")).begin()
    house.step()
    (key, date), before = next(iter(house.timers.items())), house.execution
    decision = house.tell(TimerDue(key))

    assert decision.commands == (WakeAt(key, date),)
    assert decision.execution == before


def test_the_late_end_of_an_earlier_attempt_changes_nothing():
    house = House.of(flow(work("a", retry=constant(max_attempt=5))), outcome=failing("a")).begin()
    house.step()
    house.step()
    house.tell(TaskStarted("r1", 2))
    before = house.execution
    house.finish("r1", 1, State.SUCCESS)

    assert house.execution is before


def test_looking_again_sets_the_timer_again():
    house = House.of(flow(work("a", retry=constant(max_attempt=5))), outcome=failing("a")).begin()
    house.step()
    key, date = next(iter(house.timers.items()))

    assert house.tell(Begin()).commands == (WakeAt(key, date),)


def test_a_whole_execution_is_run_again_as_a_new_one():
    retry = constant(max_attempt=2, behavior="CREATE_NEW_EXECUTION")
    tested = flow(flowable("Sequential", "s", work("a", retry=retry)), errors=(work("never"),))
    house = House.of(tested, {"x": 1}, outcome=failing("a")).run()

    assert house.trace == ["s RETRIED", "a RETRIED"]
    assert house.history() == ["CREATED", "RUNNING", "RETRIED"]
    assert house.history("a") == ["CREATED", "RUNNING", "FAILED", "RETRIED"]
    (replay,) = [command for command in house.commands if isinstance(command, Replay)]

    second = House(tested, replayed(house.execution, id="e2", now=replay.at), outcome=failing("a"), now=replay.at)
    assert second.execution.parent_id == "e1"
    assert second.execution.original_id == "e1"
    assert second.execution.attempt_number == 2
    assert second.execution.inputs == {"x": 1}
    second.run()
    assert second.trace == ["s FAILED", "a FAILED", "never SUCCESS"]
    assert second.state is State.FAILED


def test_a_new_execution_waits_until_nothing_of_the_old_one_runs():
    retry = constant(max_attempt=2, behavior="CREATE_NEW_EXECUTION")
    beside = flowable("Sequential", "s", work("b"), work("c"))
    house = House.of(
        flow(flowable("Parallel", "p", work("a", retry=retry), beside), work("never")), outcome=failing("a")
    ).begin()
    house.step()

    assert house.trace == ["p RUNNING", "a RETRIED", "s RUNNING", "b CREATED"]
    assert not any(isinstance(command, Replay) for command in house.commands)
    assert house.run().trace == ["p RETRIED", "a RETRIED", "s SUCCESS", "b SUCCESS", "c SUCCESS"]
    assert house.state is State.RETRIED


def test_a_task_run_that_never_ran_is_not_tried_again():
    house = House.of(flow(work("a", run_if="{{ nothing }}", retry=constant()))).run()

    assert house.trace == ["a FAILED"]


def test_a_retry_does_not_outlive_a_kill():
    house = House.of(flow(work("a", retry=constant())), outcome=failing("a")).begin()
    house.step()
    house.kill()

    assert house.history("a")[-2:] == ["RETRYING", "KILLED"]
    assert house.state is State.KILLED
    key = next(iter(house.timers))
    assert house.tell(TimerDue(key)).commands == ()


def test_a_failure_reported_during_a_kill_is_not_tried_again():
    house = House.of(flow(work("a", retry=constant()))).begin()
    house.tell(TaskStarted("r1", 1))
    house.kill()
    house.finish("r1", 1, State.FAILED)

    assert house.trace == ["a FAILED"]
    assert house.history() == ["CREATED", "RUNNING", "KILLING", "KILLED"]
