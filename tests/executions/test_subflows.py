"""What becomes of a task run that starts other executions."""

import pytest
from tests.executions.driver import House, flow, for_each_item, subflow, work

from casemate.executions import (
    Call,
    KillSubflows,
    StartSubflow,
    State,
    SubflowEnded,
    SubflowRefused,
    execution_document,
    execution_from,
    task_run_document,
    task_run_from,
)
from casemate.executions.subflows import AT_ONCE

COUNT = AT_ONCE + 4


def split_into(count):
    """What the worker puts out for a split; nothing for other tasks."""
    return lambda run: {"splits": "kestra:///splits", "count": count} if run.task_id.endswith("_split") else None


def looping(count=COUNT, **properties):
    house = House.of(flow(for_each_item("each", **properties), work("next")), outputs=split_into(count))
    return house.begin()


def until_asked(house):
    while not house.calls:
        assert house.step()


def test_a_task_run_waits_for_what_it_has_started():
    house = House.of(flow(subflow("call"), work("next"))).begin()
    assert house.commands[-1] == StartSubflow(Call("r1", 1))
    house.step()
    assert house.trace == ["call RUNNING"]
    house.step()
    assert house.trace == ["call SUCCESS", "next CREATED"]


def test_an_end_that_is_told_twice_is_one_end():
    house = House.of(flow(subflow("call"), work("next"))).run()
    before = house.execution
    house.end_subflow(Call("r1", 1), State.FAILED)
    assert house.execution is before


def test_the_end_of_an_earlier_attempt_is_not_heard():
    house = House.of(flow(subflow("call"))).begin()
    house.step()
    before = house.execution
    house.end_subflow(Call("r1", 2), State.SUCCESS)
    assert house.execution is before


@pytest.mark.parametrize("state", [State.CANCELLED, State.SUCCESS, State.RETRIED])
def test_what_is_no_failure_is_a_success(state):
    house = House.of(flow(subflow("call")), subflow_outcome=lambda call: state).run()
    assert house.trace == ["call SUCCESS"]


def test_a_killed_one_ends_the_execution_killed_after_what_follows():
    house = House.of(flow(subflow("call"), work("next")), subflow_outcome=lambda call: State.KILLED).run()
    assert house.trace == ["call KILLED", "next SUCCESS"]
    assert house.state is State.KILLED


def test_a_kill_is_passed_on_and_waited_for():
    house = House.of(flow(subflow("call"))).begin()
    house.step()
    house.kill()
    assert KillSubflows() in house.commands
    assert house.state is State.KILLING
    house.step()
    assert house.trace == ["call KILLED"]
    assert house.state is State.KILLED


def test_a_call_that_comes_too_late_ends_the_kill():
    house = House.of(flow(subflow("call"))).begin()
    house.kill()
    house.tell(SubflowRefused(call=house.calls.popleft(), reason="too late"))
    assert house.state is State.KILLED
    assert "too late" not in house.logs


def test_only_so_many_parts_are_asked_for_at_once():
    house = looping()
    until_asked(house)
    assert [call.number for call in house.calls] == list(range(1, AT_ONCE + 1))
    house.start_subflow(house.calls.popleft())
    assert house.calls[-1].number == AT_ONCE + 1


def test_the_parts_are_counted_by_state():
    house = looping(3)
    until_asked(house)
    for _ in range(2):
        house.start_subflow(house.calls.popleft())
    house.end_subflow(house.subflows.popleft(), State.WARNING)
    assert house.named("each_items").outputs["iterations"] == {"CREATED": 1, "RUNNING": 1, "WARNING": 1}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([State.SUCCESS, State.WARNING], State.WARNING),
        ([State.KILLED, State.WARNING], State.KILLED),
        ([State.KILLED, State.FAILED], State.FAILED),
        ([State.SUCCESS, State.CANCELLED], State.SUCCESS),
    ],
)
def test_the_worst_end_counts(states, expected):
    house = looping(2)
    house.subflow_outcome = lambda call: states[call.number - 1]
    while house.step():
        pass
    assert house.named("each_items").state is expected


def test_a_refusal_waits_for_what_has_been_started():
    house = looping(3)
    until_asked(house)
    house.start_subflow(house.calls.popleft())
    for _ in range(2):
        house.tell(SubflowRefused(call=house.calls.popleft(), reason="no such flow"))
    assert house.named("each_items").state is State.RUNNING
    house.step()
    assert house.named("each_items").state is State.FAILED
    assert house.state is State.FAILED


def test_a_part_of_its_way_is_kept_in_rows():
    house = looping()
    until_asked(house)
    runs = [task_run_from(task_run_document(run)) for run in house.runs]
    assert execution_from(execution_document(house.execution), runs) == house.execution


def test_extracting_outputs_that_fails_is_a_failure_unless_it_is_allowed():
    house = House.of(flow(subflow("call"))).begin()
    house.step()
    call = house.subflows.popleft()
    house.tell(SubflowEnded(call=call, subflow="s", state=State.SUCCESS, failure="no such thing"))
    assert house.trace == ["call FAILED"]
    assert "Failed to extract outputs with the error: 'no such thing'" in house.logs
