"""Templates that need the world are asked, and the step goes on with the reply."""

from __future__ import annotations

import pytest
from tests.executions.driver import House, flow, flowable, labels, work

from casemate.executions import (
    Answer,
    Begin,
    PauseRequested,
    Resolve,
    Resolved,
    ResumeRequested,
    State,
    TaskStarted,
)
from casemate.flows import Output

SECRET = "{{ secret('X') }}"


def asked(house):
    return [command for command in house.commands if isinstance(command, Resolve)]


def replying(value):
    return lambda command: Answer(value)


def test_a_run_if_waits_for_the_reply():
    house = House.of(flow(work("a", run_if=SECRET)), answer=replying("yes")).begin()

    assert house.trace == ["a CREATED"]
    assert not house.jobs
    (question,) = asked(house)
    assert question.key == "runIf:r1"
    assert question.template == SECRET
    assert question.variables["task"] == {"id": "a", "type": "io.kestra.plugin.core.log.Log"}

    assert house.run().trace == ["a SUCCESS"]
    assert house.execution.answers == {}
    assert house.execution.asked == frozenset()


def test_a_reply_may_say_no():
    assert House.of(flow(work("a", run_if=SECRET)), answer=replying("false")).run().trace == ["a SKIPPED"]


def test_a_reply_may_be_an_error():
    house = House.of(flow(work("a", run_if=SECRET)), answer=lambda _: Answer(error="Cannot find secret")).run()

    assert house.trace == ["a FAILED"]
    assert "Cannot find secret" in house.logs


def test_every_step_of_a_flowable_asks_for_itself():
    condition = flowable(
        "If", "if", branches={"then": (work("yes"),)}, properties={"condition": SECRET}, run_if="{{ kv('k') }}"
    )
    house = House.of(flow(condition), answer=replying("1")).run()

    assert [question.key for question in asked(house)] == ["runIf:r1", "begin:r1"]
    assert house.trace == ["if SUCCESS", "yes SUCCESS"]


def test_values_of_a_loop_may_need_the_world():
    loop = flowable("ForEach", "each", work("a"), properties={"values": SECRET})
    house = House.of(flow(loop), answer=replying('["1","2"]')).run()

    assert house.trace == ["each SUCCESS", "a[1] SUCCESS", "a[2] SUCCESS"]


def test_labels_may_need_the_world():
    house = House.of(flow(labels("l", {"k": SECRET})), answer=replying({"k": "v"})).run()

    assert house.trace == ["l SUCCESS"]
    assert {label.key: label.value for label in house.execution.labels}["k"] == "v"


def test_outputs_of_the_flow_may_need_the_world():
    tested = flow(work("a"), outputs=(Output(id="o", type="STRING", value=SECRET),))
    house = House.of(tested, answer=replying(["clear"])).run()

    assert house.execution.outputs == {"o": "clear"}
    assert house.state is State.SUCCESS


def test_an_unasked_reply_changes_nothing():
    house = House.of(flow(work("a", run_if=SECRET)), answer=replying("yes")).begin()
    house.step()
    before = house.execution

    assert house.tell(Resolved("runIf:r1", Answer("false"))).execution is before


def test_looking_again_asks_again():
    house = House.of(flow(work("a", run_if=SECRET))).begin()
    (question,) = house.tell(Begin()).commands

    assert question.key == "runIf:r1"


def test_nobody_starts_what_still_waits_for_a_reply():
    house = House.of(flow(work("a", run_if=SECRET))).begin()
    before = house.execution

    assert house.tell(TaskStarted("r1", 1)).execution is before


def test_a_kill_does_not_wait_for_a_reply():
    condition = flowable("If", "if", branches={"then": (work("yes"),)}, properties={"condition": SECRET})
    switch = flowable("Switch", "switch", branches={"case:1": (work("one"),)}, properties={"value": SECRET})
    waiting = (condition, switch, labels("set", {"k": SECRET}), work("a", run_if=SECRET))
    house = House.of(flow(flowable("Parallel", "p", *waiting))).begin()
    house.kill()

    assert house.trace == ["p KILLED", "if KILLED", "switch KILLED", "set KILLED", "a KILLED"]
    assert house.state is State.KILLED
    assert house.execution.asked == frozenset()


@pytest.mark.parametrize("task", ["runIf", "If"])
def test_what_comes_while_it_is_paused_is_not_kept_but_asked_again(task: str):
    condition = flowable("If", "if", branches={"then": (work("yes"),)}, properties={"condition": SECRET})
    tested = {"runIf": work("a", run_if=SECRET), "If": condition}[task]
    house = House.of(flow(tested), answer=replying("yes")).begin()
    house.tell(PauseRequested())
    while house.questions:
        house.step()
    assert house.execution.answers == {}

    house.tell(ResumeRequested())
    assert len(asked(house)) == 2
    while house.step():
        pass
    assert house.state is State.SUCCESS
