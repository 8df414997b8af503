"""What a flow promises about its executions, and what follows when one breaks the promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.executions.driver import NOW, House, flow, flowable, labels, work

from casemate.executions import (
    Answer,
    Begin,
    KillJob,
    PauseRequested,
    ResumeRequested,
    SlotsCounted,
    State,
    TaskStarted,
    TimerDue,
    Verdict,
)
from casemate.flows import Concurrency, Label, Sla


def lasting(behavior="FAIL", hours=1, **more):
    return Sla(id="quick", kind="MAX_DURATION", behavior=behavior, duration=timedelta(hours=hours), **more)


def asserting(expression, behavior="FAIL", **more):
    return Sla(id="sure", kind="EXECUTION_ASSERTION", behavior=behavior, assertion=expression, **more)


def late(*tasks, sla, **more):
    """A house where the first job runs while its time is over."""
    house = House.of(flow(*tasks, sla=sla, **more)).begin()
    held = house.start_all()
    house.now = NOW + timedelta(hours=1)
    house.tell(TimerDue("sla:0"))
    return house, held


def test_who_is_quick_enough_has_nothing_to_fear():
    house = House.of(flow(work("a"), sla=(lasting(),))).begin()
    assert house.timers == {"sla:0": NOW + timedelta(hours=1)}
    house.step()

    assert house.state is State.SUCCESS
    assert house.timers == {}


@pytest.mark.parametrize(("behavior", "end"), [("FAIL", "FAILED"), ("CANCEL", "CANCELLED")])
def test_who_takes_too_long_is_stopped(behavior, end):
    house, ((run, attempt),) = late(work("a"), work("b"), sla=(lasting(behavior),))
    assert KillJob(run) in house.commands
    assert house.state is State.KILLING

    house.finish(run, attempt, State.KILLED)
    assert house.history() == ["CREATED", "RUNNING", "KILLING", end]
    assert house.trace == [f"a {end}"]
    (said,) = [line for line in house.logs if "SLA" in line]
    assert said.endswith(
        "due to SLA 'quick' violated: execution duration of PT1H0.001S exceed the maximum duration of PT1H."
    )


def test_the_last_task_at_work_shares_the_end_the_others_are_killed():
    house, held = late(flowable("Parallel", "p", work("a"), work("b")), sla=(lasting(),), errors=(work("e"),))
    for run, attempt in held:
        house.finish(run, attempt, State.KILLED)

    assert house.trace == ["p KILLED", "a KILLED", "b FAILED"]
    assert house.state is State.FAILED


def test_who_ends_well_while_being_stopped_keeps_its_end():
    house, ((run, attempt),) = late(work("a"), sla=(lasting(),))
    house.finish(run, attempt, State.SUCCESS)

    assert house.trace == ["a SUCCESS"]
    assert house.state is State.FAILED


def test_neither_errors_nor_finally_run_but_what_follows_the_end_does():
    parts = {"errors": (work("e"),), "finally_": (work("f"),), "after_execution": (work("z"),)}
    house, ((run, attempt),) = late(work("a"), sla=(lasting(),), **parts)
    house.finish(run, attempt, State.KILLED)
    while house.step():
        pass

    assert house.trace == ["a FAILED", "z SUCCESS"]


def test_with_labels_only_it_goes_on():
    house, ((run, attempt),) = late(work("a"), sla=(lasting("NONE", labels=(Label("sla", "violated"),)),))
    house.finish(run, attempt)

    assert house.state is State.SUCCESS
    assert Label("sla", "violated") in house.execution.labels


def test_waiting_in_the_queue_counts():
    limit = Concurrency(limit=1)
    house = House.of(flow(work("a"), sla=(lasting(),), concurrency=limit), slots=SlotsCounted(1, 0, limit)).begin()
    house.now = NOW + timedelta(hours=1)
    house.tell(TimerDue("sla:0"))

    assert house.history() == ["CREATED", "QUEUED", "KILLING", "FAILED"]


def test_waiting_for_the_date_it_was_meant_for_does_not_count():
    house = House.of(flow(work("a"), sla=(lasting(),)))
    house.execution = replace(house.execution, schedule_date=NOW + timedelta(days=1))
    house.begin()
    assert house.timers == {"start": NOW + timedelta(days=1)}

    house.now = NOW + timedelta(days=1)
    house.tell(TimerDue("start"))
    assert house.timers["sla:0"] == NOW + timedelta(days=1, hours=1)


def test_a_paused_execution_is_not_safe():
    house = House.of(flow(flowable("Pause", "p"), sla=(lasting(),))).begin()
    house.now = NOW + timedelta(hours=1)
    house.tell(TimerDue("sla:0"))

    assert house.history() == ["CREATED", "RUNNING", "PAUSED", "KILLING", "FAILED"]
    assert house.trace == ["p FAILED"]


def test_after_a_crash_the_time_is_still_watched():
    house = House.of(flow(work("a"), sla=(lasting(),))).begin()
    house.timers.clear()
    house.tell(Begin())

    assert house.timers == {"sla:0": NOW + timedelta(hours=1)}


def test_after_a_crash_while_being_stopped_it_still_ends_as_it_was_to():
    house, ((run, attempt),) = late(work("a"), sla=(lasting("CANCEL"),))
    assert house.execution.verdict == Verdict(State.CANCELLED, run)
    house.commands.clear()
    house.tell(Begin())
    assert KillJob(run) in house.commands

    house.finish(run, attempt, State.KILLED)
    assert house.state is State.CANCELLED


def test_a_late_alarm_changes_nothing():
    house = House.of(flow(work("a"), sla=(lasting(),))).run()
    before = house.execution

    assert house.tell(TimerDue("sla:0")).execution is before


def test_an_assertion_that_is_false_from_the_start_lets_nothing_start():
    house = House.of(flow(work("a"), sla=(asserting("{{ inputs.x == 1 }}", "CANCEL"),)), {"x": 2}).begin()

    assert house.history() == ["CREATED", "RUNNING", "KILLING", "CANCELLED"]
    assert house.runs == []
    assert any("violated: assertion is false: {{ inputs.x == 1 }}." in line for line in house.logs)


def test_an_assertion_is_checked_whenever_something_changes():
    tested = flow(work("a"), work("b"), work("c"), sla=(asserting("{{ (outputs.b.value ?? 'ok') == 'ok' }}"),))
    house = House.of(tested).run()

    assert house.trace == ["a SUCCESS", "b SUCCESS"]
    assert house.state is State.FAILED


def test_an_assertion_is_checked_once_more_before_the_end():
    tested = flow(work("a"), labels("l", {"bad": "yes"}), sla=(asserting("{{ labels.bad is not defined }}"),))
    house = House.of(tested).run()

    assert house.trace == ["a SUCCESS", "l SUCCESS"]
    assert house.state is State.FAILED


def test_an_assertion_that_cannot_be_rendered_is_passed_over():
    house = House.of(flow(work("a"), sla=(asserting("{{ outputs.a.value == 'a' }}"),))).run()

    assert house.state is State.SUCCESS
    assert any(line.startswith("Ignoring SLA 'sure' because of the error: ") for line in house.logs)


def test_the_first_violation_counts():
    slas = (asserting("false", "NONE", labels=(Label("sla", "violated"),)), asserting("false", "FAIL"))
    house = House.of(flow(work("a"), sla=slas)).run()

    assert house.state is State.SUCCESS
    assert Label("sla", "violated") in house.execution.labels


@pytest.mark.parametrize(("answer", "end"), [("1", State.SUCCESS), ("", State.FAILED)])
def test_an_assertion_may_ask_the_world(answer, end):
    tested = flow(work("a"), work("b"), sla=(asserting("{{ kv('x') }}"),))
    house = House.of(tested, answer=lambda command: Answer(answer)).run()

    assert house.state is end
    assert not house.execution.asked
    assert not house.execution.answers


def test_a_question_that_a_crash_lost_is_asked_again():
    house = House.of(flow(work("a"), sla=(asserting("{{ kv('x') }}"),))).begin()
    house.questions.clear()
    house.tell(Begin())
    while house.step():
        pass

    assert house.state is State.SUCCESS


def test_a_job_that_starts_is_a_change_too():
    house = House.of(flow(work("a"), sla=(asserting("{{ tasks.a.state != 'RUNNING' }}"),))).begin()
    house.tell(TaskStarted("r1", 1))

    assert house.state is State.KILLING


def test_an_assertion_that_was_answered_during_a_pause_is_asked_again():
    house = House.of(flow(work("a"), sla=(asserting("{{ kv('x') }}"),)), answer=lambda _: Answer("1")).begin()
    house.tell(PauseRequested())
    while house.questions:
        house.step()
    assert (house.execution.asked, house.execution.answers) == (frozenset(), {})

    house.tell(ResumeRequested())
    while house.step():
        pass
    assert house.state is State.SUCCESS
