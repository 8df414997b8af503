"""Kill switches: whom they mean, which of them decides, and what becomes of an execution."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.executions.driver import NOW, House, flow, flowable, work

from casemate.executions import (
    SWITCH_LABEL,
    KillJob,
    KillSwitch,
    State,
    SwitchedOff,
    TaskStarted,
    execution_document,
    execution_from,
    ruling,
    switched_off,
)
from casemate.flows import Label, Retry
from casemate.identifiers import MAIN, ExecutionId, FlowId, Namespace, TenantId

GENTLY = SwitchedOff(name="stop", state=State.CANCELLED)


def switch(evaluation="KILL", **more):
    return KillSwitch(id=f"s-{evaluation}", name="stop", evaluation=evaluation, start=NOW, **more)


def execution():
    return House.of(flow(work("a"))).execution


@pytest.mark.parametrize(
    ("scope", "meant"),
    [
        ({}, True),
        ({"tenant": MAIN}, True),
        ({"tenant": TenantId("other")}, False),
        ({"tenant": MAIN, "namespace": Namespace("house")}, True),
        ({"tenant": MAIN, "namespace": Namespace("hou")}, False),
        ({"tenant": MAIN, "namespace": Namespace("house.kitchen")}, False),
        ({"tenant": MAIN, "namespace": Namespace("house"), "flow": FlowId("tested")}, True),
        ({"tenant": MAIN, "namespace": Namespace("house"), "flow": FlowId("other")}, False),
        ({"executions": frozenset((ExecutionId("e1"), ExecutionId("e2")))}, True),
        ({"executions": frozenset((ExecutionId("e2"),))}, False),
    ],
)
def test_a_switch_means_what_lies_in_its_scope(scope, meant):
    assert (ruling([switch(**scope)], execution(), NOW) is not None) is meant


def test_a_namespace_means_those_below_it_unless_one_flow_is_meant():
    below = replace(execution(), namespace=Namespace("house.kitchen"))
    assert ruling([switch(tenant=MAIN, namespace=Namespace("house"))], below, NOW) is not None
    one = switch(tenant=MAIN, namespace=Namespace("house"), flow=FlowId("tested"))
    assert ruling([one], below, NOW) is None


@pytest.mark.parametrize(
    ("more", "seconds", "on"),
    [
        ({}, -1, False),
        ({}, 0, True),
        ({"end": NOW + timedelta(seconds=5)}, 4, True),
        ({"end": NOW + timedelta(seconds=5)}, 5, False),
        ({"enabled": False}, 1, False),
    ],
)
def test_a_switch_is_on_in_its_time(more, seconds, on):
    assert (ruling([switch(**more)], execution(), NOW + timedelta(seconds=seconds)) is not None) is on


def test_the_strongest_switch_decides_and_pass_decides_nothing():
    kinds = [switch(kind) for kind in ("PASS", "CANCEL", "KILL", "IGNORE")]
    for most, expected in ((1, None), (2, "CANCEL"), (3, "KILL"), (4, "IGNORE")):
        found = ruling(kinds[:most], execution(), NOW)
        assert (found and found.evaluation) == expected
    assert switched_off(switch("KILL", immediate=True)) == SwitchedOff(name="stop", state=State.KILLED, immediate=True)


@pytest.mark.parametrize("evaluation", ["KILL", "CANCEL"])
def test_what_has_not_begun_ends_at_once_and_says_by_which_switch(evaluation):
    house = House.of(flow(work("a")))
    house.tell(switched_off(switch(evaluation)))
    assert (house.state, house.runs) == (State.KILLED if evaluation == "KILL" else State.CANCELLED, [])
    assert Label(SWITCH_LABEL, "stop") in house.execution.labels
    assert [command.message for command in house.commands if getattr(command, "kept", False)] == [
        f"Flow is {house.state} due to the kill switch 'stop'"
    ]


def test_what_is_at_work_ends_by_itself_and_nothing_begins_after_it():
    house = House.of(flow(flowable("Parallel", "p", work("a"), work("waits")), work("never"))).begin()
    house.tell(TaskStarted("r2", 1))
    house.tell(GENTLY)
    assert KillJob("r2") not in house.commands
    assert house.trace == ["p RUNNING", "a RUNNING", "waits KILLED"]
    house.finish("r2", 1, State.SUCCESS)
    assert house.trace == ["p KILLED", "a SUCCESS", "waits KILLED"]
    assert house.state is State.CANCELLED


def test_a_failed_attempt_is_not_tried_again():
    again = Retry(kind="constant", interval=timedelta(seconds=1), max_attempt=5)
    house = House.of(flow(work("a", retry=again))).begin()
    house.tell(TaskStarted("r1", 1))
    house.tell(GENTLY)
    house.finish("r1", 1, State.FAILED)
    assert (house.trace, house.state) == (["a FAILED"], State.CANCELLED)


def test_an_immediate_switch_stops_also_what_is_at_work():
    house = House.of(flow(work("a"))).begin()
    house.tell(TaskStarted("r1", 1))
    house.tell(SwitchedOff(name="stop", state=State.KILLED, immediate=True))
    assert KillJob("r1") in house.commands


def test_who_waits_gently_can_still_be_stopped_at_once():
    for event in (SwitchedOff(name="harder", state=State.KILLED, immediate=True), None):
        house = House.of(flow(work("a"))).begin()
        house.tell(TaskStarted("r1", 1))
        house.tell(GENTLY)
        assert KillJob("r1") not in house.commands
        house.tell(GENTLY)
        house.kill() if event is None else house.tell(event)
        assert KillJob("r1") in house.commands
        house.finish("r1", 1, State.KILLED)
        assert house.state.terminated


def test_a_start_of_the_service_does_not_stop_what_may_end_by_itself():
    house = House.of(flow(work("a"))).begin()
    house.tell(TaskStarted("r1", 1))
    house.tell(GENTLY)
    kept = execution_from(execution_document(house.execution), house.execution.task_runs.values())
    assert kept.verdict == house.execution.verdict
    house.execution = replace(house.execution, verdict=kept.verdict)
    house.begin()
    assert KillJob("r1") not in house.commands


def test_nobody_stops_what_is_over():
    house = House.of(flow(work("a"))).run()
    before = house.execution
    house.tell(GENTLY)
    assert house.execution is before
