"""Values that no calendar, stack or number holds never break a decision; and what happens if one breaks anyway."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.executions.driver import NOW, House, failing, flow, flowable, labels, work

from casemate.executions import KillJob, KillSubflows, ResumeRequested, State, TaskFinished, TimerDue, Write, broken
from casemate.flows import Output, Retry

FOR_EVER = "P2999999D"
DEEP = "[" * 50_000


def test_a_pause_may_be_longer_than_the_calendar():
    house = House.of(flow(flowable("Pause", "pause", properties={"delay": FOR_EVER}))).begin()

    assert house.state is State.PAUSED
    assert house.timers.popitem()[1].year == 9999


@pytest.mark.parametrize(
    "retry",
    [
        Retry(kind="constant", interval=timedelta(days=2_999_999)),
        Retry(kind="constant", interval=timedelta(1), max_duration=timedelta(days=2_999_999)),
        Retry(kind="random", min_interval=timedelta(days=2_999_998), max_interval=timedelta(days=2_999_999)),
    ],
)
def test_a_retry_may_be_further_away_than_the_calendar(retry):
    house = House.of(flow(work("a", retry=retry)), outcome=failing("a")).begin()
    house.step()

    assert house.state is State.RETRYING


def test_an_exponential_delay_may_grow_beyond_numbers():
    retry = Retry(kind="exponential", interval=timedelta(1), max_interval=timedelta(2), delay_factor=1e300)
    house = House.of(flow(work("a", retry=retry)), outcome=failing("a")).begin()
    for _ in range(3):
        house.step()

    assert house.timers.popitem()[1] - house.now == timedelta(2)


def test_a_loop_may_wait_longer_than_the_calendar():
    often = {"interval": FOR_EVER, "maxDuration": FOR_EVER}
    loop = flowable("WaitFor", "loop", work("a"), properties={"condition": "false", "checkFrequency": often})
    house = House.of(flow(loop)).begin()
    house.step()

    assert house.state is State.PAUSED


@pytest.mark.parametrize(
    "task",
    [
        flowable("ForEach", "each", work("a"), properties={"values": DEEP}),
        labels("label", DEEP),
    ],
)
def test_json_that_is_nested_too_deeply_fails_its_task(task):
    assert House.of(flow(task)).run().runs[0].state is State.FAILED


@pytest.mark.parametrize(
    ("kind", "value"), [("JSON", DEEP), ("JSON", "[" * 300 + "]" * 300), ("DATETIME", "0001-01-01T00:00:00+14:00")]
)
def test_an_output_that_cannot_be_kept_fails_the_execution(kind, value):
    house = House.of(flow(work("a"), outputs=(Output(id="o", type=kind, value=value),))).run()

    assert house.state is State.FAILED
    assert any("Invalid output for `o`" in message for message in house.logs)


def test_between_a_resume_and_going_on_nothing_is_started():
    def lane(number):
        return flowable("Sequential", f"s{number}", work(f"a{number}"), flowable("Pause", f"p{number}"))

    house = House.of(flow(flowable("Parallel", "all", lane(1), lane(2)))).begin()
    first, second = house.start_all()
    house.finish(*first)
    house.tell(ResumeRequested())
    house.finish(*second)

    assert house.state is State.RESTARTED
    house.step()
    assert house.named("p2").state is State.PAUSED
    house.tell(ResumeRequested())
    assert house.run().state is State.SUCCESS


def test_what_cannot_be_decided_on_ends_with_its_reason():
    house = House.of(flow(flowable("Parallel", "all", work("a"), work("b")), flowable("Pause", "never"))).begin()
    house.start_all()
    decision = broken(house.execution, "it is broken", now=NOW)

    assert decision.execution.state is State.FAILED
    assert [str(run.state) for run in decision.execution.task_runs.values()] == ["KILLED", "KILLED", "FAILED"]
    assert decision.changed == ("r1", "r2", "r3")
    assert [command.task_run for command in decision.commands if isinstance(command, KillJob)] == ["r1", "r2", "r3"]
    assert [command.message for command in decision.commands if isinstance(command, Write)] == [
        "The execution can't go on: it is broken"
    ]
    house.execution = decision.execution
    late = TaskFinished(task_run=house.named("a").id, attempt=1, state=State.SUCCESS)
    assert house.tell(late).execution is decision.execution


def test_what_has_ended_cannot_break():
    house = House.of(flow(work("a"))).run()

    assert broken(house.execution, "too late", now=NOW).execution is house.execution
    assert house.tell(TimerDue("go-on")).commands == ()


def test_a_broken_execution_that_was_being_killed_is_killed():
    house = House.of(flow(work("a"))).begin()
    house.start_all()
    house.kill()

    assert broken(house.execution, "late", now=NOW).execution.state is State.KILLED


def test_without_a_task_run_the_reason_is_the_executions():
    house = House.of(flow(work("a")))
    decision = broken(house.execution, "at once", now=NOW)

    assert decision.execution.state is State.FAILED
    assert decision.commands == (Write("ERROR", "The execution can't go on: at once", kept=True), KillSubflows())
