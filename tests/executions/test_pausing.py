"""Pauses, resumes, and loops that pause between their iterations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.executions.driver import House, failing, flow, flowable, work

from casemate.executions import Begin, PauseRequested, ResumeRequested, State, TaskStarted, TimerDue, WakeAt
from casemate.flows import Retry


def pause(name="pause", *tasks, **properties):
    return flowable("Pause", name, *tasks, properties=properties)


def test_a_pause_stops_the_execution_until_someone_resumes_it():
    house = House.of(flow(pause("pause", work("sub")), work("last"))).run()

    assert house.trace == ["pause PAUSED"]
    assert house.history() == ["CREATED", "RUNNING", "PAUSED"]

    house.tell(ResumeRequested())
    assert house.history() == ["CREATED", "RUNNING", "PAUSED", "RESTARTED"]
    while house.step():
        pass
    assert house.trace == ["pause SUCCESS", "sub SUCCESS", "last SUCCESS"]
    assert house.history() == ["CREATED", "RUNNING", "PAUSED", "RESTARTED", "RUNNING", "SUCCESS"]


def test_resuming_what_is_not_paused_changes_nothing():
    house = House.of(flow(work("a"))).begin()
    before = house.execution

    assert house.tell(ResumeRequested()).execution is before


def test_a_delay_ends_by_itself():
    house = House.of(flow(pause("pause", work("sub"), delay="PT{{ inputs.n }}S"), work("last")), {"n": 2}).begin()
    (wake,) = [command for command in house.commands if isinstance(command, WakeAt)]

    assert house.state is State.PAUSED
    assert wake.at - house.now == timedelta(seconds=2)
    while house.step():
        pass
    assert house.trace == ["pause SUCCESS", "sub SUCCESS", "last SUCCESS"]
    assert house.history("pause") == ["CREATED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]


def test_a_timeout_ends_badly():
    house = House.of(flow(pause(timeout="PT1S"), work("never"))).run()

    assert house.trace == ["pause FAILED"]
    assert house.history("pause") == ["CREATED", "RUNNING", "PAUSED", "FAILED"]
    assert house.state is State.FAILED


@pytest.mark.parametrize(
    ("behavior", "trace", "end"),
    [
        ("RESUME", ["pause SUCCESS", "last SUCCESS"], State.SUCCESS),
        ("WARN", ["pause WARNING", "last SUCCESS"], State.WARNING),
        ("FAIL", ["pause FAILED"], State.FAILED),
        ("CANCEL", ["pause CANCELLED"], State.CANCELLED),
    ],
)
def test_a_pause_ends_as_its_behavior_says_when_its_duration_is_over(behavior, trace, end):
    house = House.of(flow(pause(pauseDuration="PT1S", behavior=behavior), work("last"))).run()

    assert house.trace == trace
    assert house.state is end


def test_someone_who_resumes_in_time_is_faster_than_the_behavior():
    house = House.of(flow(pause(pauseDuration="PT1H", behavior="CANCEL"), work("last"))).begin()
    house.tell(ResumeRequested())
    while house.step():
        pass

    assert house.trace == ["pause SUCCESS", "last SUCCESS"]


def test_a_cancelling_pause_stops_what_stands_beside_it():
    beside = flowable("Parallel", "both", pause("one", pauseDuration="PT1S", behavior="CANCEL"), pause("two"))
    house = House.of(flow(beside)).run()

    assert house.trace == ["both KILLED", "one CANCELLED", "two KILLED"]
    assert house.state is State.CANCELLED


def test_a_delay_that_is_no_duration_fails():
    house = House.of(flow(pause(delay="soon"))).run()

    assert house.trace == ["pause FAILED"]


@pytest.mark.parametrize(("asked", "outputs"), [([{"id": "x"}], {"onResume": {"x": 1}}), (None, None)])
def test_what_is_given_at_resume_becomes_outputs_if_it_was_asked_for(asked, outputs):
    house = House.of(flow(pause(onResume=asked))).run()
    house.tell(ResumeRequested(inputs={"x": 1}))

    assert house.named("pause").outputs == outputs


def test_an_execution_stays_paused_until_nothing_in_it_is():
    loop = flowable("EachParallel", "each", pause(), properties={"value": ["1", "2"]})
    house = House.of(flow(loop)).run()

    house.tell(ResumeRequested())
    assert house.trace == ["each RUNNING", "pause[1] RUNNING", "pause[2] PAUSED"]
    assert house.state is State.PAUSED
    house.tell(ResumeRequested(task_run="r3"))
    while house.step():
        pass
    assert house.state is State.SUCCESS


def test_reports_are_taken_during_a_pause_but_nothing_new_is_started():
    beside = flowable("Sequential", "s", work("a"), work("b"))
    house = House.of(flow(flowable("Parallel", "p", beside, flowable("Sequential", "late", pause())))).begin()
    house.tell(TaskStarted("r4", 1))
    house.finish("r4", 1)

    assert house.trace == ["p RUNNING", "s RUNNING", "late RUNNING", "a SUCCESS", "pause PAUSED"]
    house.tell(ResumeRequested())
    while house.step():
        pass
    assert house.trace[-1] == "b SUCCESS"
    assert house.state is State.SUCCESS


def test_a_person_may_pause_and_resume():
    house = House.of(flow(work("a"), work("b"))).begin()
    house.tell(PauseRequested())
    house.step()

    assert house.trace == ["a SUCCESS"]
    assert house.state is State.PAUSED
    house.tell(ResumeRequested())
    assert house.trace == ["a SUCCESS", "b CREATED"]
    assert house.run().history() == ["CREATED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]


def test_a_retry_that_is_due_during_a_pause_happens_after_it():
    retry = Retry(kind="constant", interval=timedelta(seconds=1), max_attempt=2)
    house = House.of(flow(work("a", retry=retry)), outcome=failing("a")).begin()
    house.tell(PauseRequested())
    house.step()
    house.step()

    assert house.trace == ["a RETRYING"]
    house.tell(ResumeRequested())
    assert house.trace == ["a CREATED"]


def test_looking_again_sets_the_timers_of_a_pause_again():
    house = House.of(flow(pause(delay="PT1H"))).begin()
    before = house.execution
    decision = house.tell(Begin())

    assert decision.execution is before
    assert decision.commands == (WakeAt(*next(iter(house.timers.items()))),)


def test_an_old_timer_of_a_pause_changes_nothing():
    house = House.of(flow(pause(delay="PT1H"))).begin()
    before = house.execution

    assert house.tell(TimerDue("pause:r1:1")).execution is before


def test_a_paused_execution_can_be_killed():
    house = House.of(flow(pause())).run()
    house.kill()

    assert house.trace == ["pause KILLED"]
    assert house.history() == ["CREATED", "RUNNING", "PAUSED", "KILLING", "KILLED"]


# Loops ----------------------------------------------------------------------------------------------------------------


def loop(condition, *tasks, **properties):
    return flowable("WaitFor", "loop", *tasks, properties={"condition": condition, **properties})


def counting(run):
    """A worker whose output is the iteration."""
    return {"value": run.iteration}


def test_a_loop_ends_when_its_condition_holds():
    house = House.of(flow(loop("{{ inputs.yes }}", work("a"), work("b")), work("last")), {"yes": True}).run()

    assert house.trace == ["loop SUCCESS", "a SUCCESS", "b SUCCESS", "last SUCCESS"]
    assert house.named("a").iteration == 1
    assert house.state is State.SUCCESS


def test_a_loop_pauses_between_its_iterations_and_forgets_the_last_one():
    tested = flow(loop("false", work("a"), checkFrequency={"maxIterations": 3, "interval": "PT5S"}))
    house = House.of(tested, outputs=counting).begin()
    house.step()

    assert house.trace == ["loop PAUSED", "a SUCCESS"]
    assert house.state is State.PAUSED
    key, house.now = house.timers.popitem()
    decision = house.tell(TimerDue(key))
    assert decision.changed == ("r2", "r1", "r3")
    assert house.trace == ["loop RUNNING", "a CREATED"]
    assert house.named("a").iteration == 2
    assert house.run().trace == ["loop SUCCESS", "a SUCCESS"]
    assert house.named("a").outputs == {"value": 3}
    assert "Max iterations reached" in house.logs
    assert house.history("loop").count("PAUSED") == 2


def test_a_loop_may_fail_at_its_limit():
    tested = flow(loop("false", work("a"), checkFrequency={"maxIterations": 2}, failOnMaxReached=True))

    assert House.of(tested).run().trace == ["loop FAILED", "a SUCCESS"]


def test_a_loop_ends_at_its_maximal_duration():
    frequency = {"maxDuration": "PT5S", "interval": "PT2S"}
    house = House.of(flow(loop("false", work("a"), checkFrequency=frequency, failOnMaxReached=True))).run()

    assert house.state is State.FAILED
    assert "Max duration reached" in house.logs


def test_a_failure_ends_a_loop():
    looped = flowable("WaitFor", "loop", work("ko"), properties={"condition": "false"}, errors=(work("e"),))
    house = House.of(flow(looped), outcome=failing("ko")).run()

    assert house.trace == ["loop FAILED", "ko FAILED", "e SUCCESS"]


def test_a_warning_ends_a_loop_without_asking():
    house = House.of(flow(loop("{{ nothing }}", work("a"))), outcome=lambda run, _: State.WARNING).run()

    assert house.trace == ["loop WARNING", "a WARNING"]


def test_a_condition_that_cannot_be_rendered_fails_the_loop():
    house = House.of(flow(loop("{{ nothing }}", work("a")))).run()

    assert house.trace == ["loop FAILED", "a SUCCESS"]


def test_the_condition_of_a_loop_may_need_the_world():
    house = House.of(flow(loop("{{ secret('X') }}", work("a")))).run()

    assert house.trace == ["loop SUCCESS", "a SUCCESS"]
    assert house.named("loop").outputs == {"iterationCount": 2}
