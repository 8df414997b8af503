"""Tasks that follow the end of an execution: afterExecution and listeners."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.executions.driver import House, always, failing, flow, flowable, work

from casemate.executions import Answer, Begin, Context, State, TaskStarted, variables_of
from casemate.flows import Condition, Label, Listener, Retry

CONDITION = "io.kestra.plugin.core.condition."


def condition(kind, *conditions, **properties):
    return Condition(canonical=CONDITION + kind, properties=properties, conditions=conditions)


def listener(*tasks, conditions=()):
    return Listener(tasks=tasks, conditions=conditions)


def heard(*conditions, outcome=None, **more):
    """Did a listener with these conditions run its task?"""
    tested = flow(work("a"), listeners=(listener(work("l"), conditions=conditions),), **more)
    house = House.of(tested, outcome=outcome).run()
    assert house.execution.over
    return any(run.task_id == "l" for run in house.runs)


def test_they_run_one_after_the_other_once_it_has_ended():
    house = House.of(flow(work("a"), after_execution=(work("b"), work("c")))).begin()
    house.step()

    assert house.state is State.SUCCESS
    assert not house.execution.over
    assert house.trace == ["a SUCCESS", "b CREATED"]
    while house.step():
        pass
    assert house.trace == ["a SUCCESS", "b SUCCESS", "c SUCCESS"]
    assert house.execution.over


def test_their_failure_changes_nothing():
    house = House.of(flow(work("a"), after_execution=(work("b"), work("c"))), outcome=failing("b")).run()

    assert house.history() == ["CREATED", "RUNNING", "SUCCESS"]
    assert house.trace == ["a SUCCESS", "b FAILED", "c SUCCESS"]


def test_they_see_the_end():
    house = House.of(flow(work("a"), after_execution=(work("b", run_if="{{ execution.state == 'FAILED' }}"),))).run()

    assert house.trace == ["a SUCCESS", "b SKIPPED"]
    assert variables_of(house.flow, house.execution)["execution"]["state"] == "SUCCESS"


def test_they_run_after_errors_and_finally():
    tested = flow(work("a"), errors=(work("e"),), finally_=(work("f"),), after_execution=(work("z"),))
    house = House.of(tested, outcome=failing("a")).run()

    assert house.trace == ["a FAILED", "e SUCCESS", "f SUCCESS", "z SUCCESS"]
    assert house.history() == ["CREATED", "RUNNING", "FAILED"]


def test_they_run_after_a_kill():
    house = House.of(flow(work("a"), finally_=(work("f"),), after_execution=(work("z"),))).begin()
    house.kill()
    while house.step():
        pass

    assert house.trace == ["a KILLED", "z SUCCESS"]
    assert house.state is State.KILLED


def test_they_may_be_flowables_with_retries():
    after = flowable("Sequential", "s", work("b"), work("c", retry=Retry(kind="constant", max_attempt=2)))
    house = House.of(flow(work("a"), after_execution=(after,)), outcome=failing("c")).run()

    assert house.trace == ["a SUCCESS", "s FAILED", "b SUCCESS", "c FAILED"]
    assert len(house.named("c").attempts) == 2
    assert house.state is State.SUCCESS


def test_their_failure_does_not_run_the_whole_execution_again():
    again = Retry(kind="constant", max_attempt=5, behavior="CREATE_NEW_EXECUTION")
    house = House.of(flow(work("a"), retry=again, after_execution=(work("b"),)), outcome=failing("b")).run()

    assert house.trace == ["a SUCCESS", "b FAILED"]
    assert house.execution.replay_at is None


def test_a_delay_among_them_leaves_the_execution_ended():
    after = (flowable("Pause", "p", properties={"delay": "PT1H"}), work("b"))
    house = House.of(flow(work("a"), after_execution=after)).run()

    assert house.trace == ["a SUCCESS", "p SUCCESS", "b SUCCESS"]
    assert house.history() == ["CREATED", "RUNNING", "SUCCESS"]


def test_a_pause_among_them_that_nobody_could_end_fails():
    house = House.of(flow(work("a"), after_execution=(flowable("Pause", "p"), work("b")))).run()

    assert house.trace == ["a SUCCESS", "p FAILED", "b SUCCESS"]


def test_after_a_crash_they_go_on():
    house = House.of(flow(work("a"), after_execution=(work("b"), work("c")))).begin()
    house.step()
    house.jobs.clear()
    house.tell(Begin())
    while house.step():
        pass

    assert house.trace == ["a SUCCESS", "b SUCCESS", "c SUCCESS"]


def test_after_a_crash_a_delay_among_them_is_awaited_again():
    after = (flowable("Pause", "p", properties={"delay": "PT1H"}),)
    house = House.of(flow(work("a"), after_execution=after)).begin()
    house.step()
    house.timers.clear()
    house.tell(Begin())
    while house.step():
        pass

    assert house.trace == ["a SUCCESS", "p SUCCESS"]


def test_they_can_be_stopped():
    house = House.of(flow(work("a"), after_execution=(flowable("Sequential", "s", work("b"), work("c")), work("d"))))
    house.begin()
    house.step()
    ((run, attempt),) = house.start_all()
    house.kill()
    assert not house.execution.over

    house.finish(run, attempt, State.KILLED)
    assert house.trace == ["a SUCCESS", "s KILLED", "b KILLED"]
    assert house.history() == ["CREATED", "RUNNING", "SUCCESS"]
    assert house.execution.over


def test_disabled_ones_are_left_out():
    house = House.of(flow(work("a"), after_execution=(work("b", disabled=True), work("c")))).run()

    assert house.trace == ["a SUCCESS", "c SUCCESS"]


def test_when_it_ends_once_more_they_run_once_more():
    house = House.of(flow(work("a"), after_execution=(work("b"),))).run()
    first = house.named("b").id
    house.execution = replace(house.execution, history=house.execution.history.to(State.RESTARTED, house.now))
    house.begin()
    while house.step():
        pass

    assert house.trace == ["a SUCCESS", "b SUCCESS"]
    assert house.named("b").id != first


def test_late_reports_change_nothing():
    house = House.of(flow(work("a"), after_execution=(work("b"),))).run()
    before = house.execution

    assert house.tell(TaskStarted(house.named("b").id, 2)).execution is before


def test_listeners_follow_one_another():
    tested = flow(
        work("a"), after_execution=(work("z"),), listeners=(listener(work("l1"), work("l2")), listener(work("l3")))
    )
    house = House.of(tested, outcome=failing("l1")).run()

    assert house.trace == ["a SUCCESS", "z SUCCESS", "l1 FAILED", "l2 SUCCESS", "l3 SUCCESS"]
    assert house.state is State.SUCCESS


def test_listeners_can_be_switched_off_which_is_said():
    house = House.of(flow(work("a"), listeners=(listener(work("l")),)), context=Context(listeners=False)).run()

    assert house.trace == ["a SUCCESS"]
    assert "Listeners are not run: kestra.listeners.enabled is false" in house.logs


@pytest.mark.parametrize(
    ("conditions", "runs"),
    [
        ([condition("ExecutionStatus", **{"in": ["SUCCESS"]})], True),
        ([condition("ExecutionStatus", **{"in": ["FAILED"]})], False),
        ([condition("ExecutionStatus", **{"in": ["SUCCESS"], "notIn": ["SUCCESS"]})], False),
        ([condition("ExecutionFlow", namespace="house", flowId="tested")], True),
        ([condition("ExecutionFlow", namespace="house", flowId="other")], False),
        ([condition("ExecutionNamespace", namespace="hou", prefix=True)], True),
        ([condition("ExecutionNamespace", namespace="hou", prefix=True, comparison="EQUALS")], False),
        ([condition("ExecutionNamespace", namespace="se", comparison="SUFFIX")], True),
        ([condition("ExecutionLabels", labels=[{"key": "team", "value": "a"}])], True),
        ([condition("ExecutionLabels", labels=[{"key": "team", "value": "b"}])], False),
        ([condition("Expression", expression="{{ execution.state }}")], True),
        ([condition("Expression", expression=" false ")], False),
        ([condition("Expression", expression="{{ nothing }}")], False),
        ([condition("ExecutionOutputs", expression="{{ trigger.outputs.x == 1 }}")], False),
        ([condition("HasRetryAttempt", **{"in": ["FAILED"]})], False),
        ([condition("Not", condition("ExecutionStatus", **{"in": ["FAILED"]}))], True),
        ([condition("Or", condition("Expression", expression=""), condition("Expression", expression="1"))], True),
        ([condition("Expression", expression="1"), condition("Expression", expression="")], False),
        ([condition("PublicHoliday")], False),
    ],
)
def test_a_listener_runs_only_if_its_conditions_hold(conditions, runs):
    assert heard(*conditions, labels=(Label("team", "a"),)) is runs


def test_a_listener_can_ask_for_retries():
    retry = Retry(kind="constant", max_attempt=2)

    assert heard(condition("HasRetryAttempt", **{"in": ["FAILED"]}), outcome=always(State.FAILED), retry=retry)


def test_a_condition_that_cannot_be_told_is_said_and_does_not_hold():
    house = House.of(
        flow(work("a"), listeners=(listener(work("l"), conditions=(condition("MultipleCondition"),)),))
    ).run()

    assert any("condition.MultipleCondition can't be evaluated" in line for line in house.logs)


@pytest.mark.parametrize(("answer", "trace"), [("1", ["a SUCCESS", "l SUCCESS"]), ("", ["a SUCCESS"])])
def test_a_condition_may_ask_the_world(answer, trace):
    tested = flow(
        work("a"), listeners=(listener(work("l"), conditions=(condition("Expression", expression="{{ kv('x') }}"),)),)
    )
    house = House.of(tested, answer=lambda command: Answer(answer)).begin()
    house.step()
    assert house.state is State.SUCCESS
    assert not house.execution.over
    house.questions.clear()
    house.tell(Begin())
    while house.step():
        pass

    assert house.trace == trace
    assert house.execution.over
