"""The concurrency limit of a flow: who is let in, who waits, who is turned away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.executions.driver import NOW, House, flow, flowable, work

from casemate.executions import (
    SLOT_KEY,
    Begin,
    History,
    Moment,
    ResumeRequested,
    RunForced,
    SlotsCounted,
    State,
    TimerDue,
    UnqueueRequested,
)
from casemate.flows import Concurrency, Retry


def limited(behavior="QUEUE", limit=1, **more):
    return flow(work("a"), concurrency=Concurrency(limit=limit, behavior=behavior), **more)


def crowded(tested, running=1, waiting=0):
    """A house of a flow that others run already."""
    return House.of(tested, slots=SlotsCounted(running, waiting, tested.concurrency))


def test_with_a_free_place_it_runs_at_once():
    house = crowded(limited(limit=2), running=1).begin()

    assert house.history() == ["CREATED", "RUNNING"]
    assert house.trace == ["a CREATED"]


def test_without_one_it_waits_and_nothing_starts():
    house = crowded(limited(), running=1).begin()

    assert house.history() == ["CREATED", "QUEUED"]
    assert house.runs == []
    assert house.logs == ["Flow is queued due to concurrency limit exceeded, 1 running(s)"]


def test_who_waits_longer_comes_first():
    house = crowded(limited(), running=0, waiting=1).begin()

    assert house.state is State.QUEUED


def test_it_is_let_in_once_there_is_a_place():
    house = crowded(limited()).begin()
    house.tell(TimerDue(SLOT_KEY))
    assert house.state is State.QUEUED

    house.slots = SlotsCounted(0, 0, house.flow.concurrency)
    house.tell(TimerDue(SLOT_KEY))
    while house.step():
        pass
    assert house.history() == ["CREATED", "QUEUED", "RUNNING", "SUCCESS"]


def test_a_restart_of_the_service_asks_again_for_a_place():
    house = crowded(limited()).begin()
    house.slots = SlotsCounted(0, 0, house.flow.concurrency)
    house.tell(Begin())

    assert house.state is State.RUNNING


def test_when_the_limit_is_gone_whoever_waits_runs():
    house = crowded(limited()).begin()
    house.slots = SlotsCounted(5, 5, None)
    house.tell(TimerDue(SLOT_KEY))

    assert house.state is State.RUNNING


def test_a_flow_that_cancels_does_not_let_wait():
    house = crowded(limited("CANCEL")).begin()

    assert house.history() == ["CREATED", "CANCELLED"]
    assert house.runs == []


def test_a_flow_that_fails_says_why():
    house = crowded(limited("FAIL")).begin()

    assert house.history() == ["CREATED", "FAILED"]
    assert "Flow is FAILED due to concurrency limit exceeded" in house.logs


def test_who_waits_in_the_queue_is_not_turned_away_when_the_flow_changes_its_mind():
    house = crowded(limited()).begin()
    house.slots = SlotsCounted(1, 0, Concurrency(limit=1, behavior="CANCEL"))
    house.tell(TimerDue(SLOT_KEY))

    assert house.state is State.QUEUED


def test_a_queued_execution_is_killed_at_once():
    house = crowded(limited()).begin()
    house.kill()

    assert house.history() == ["CREATED", "QUEUED", "KILLING", "KILLED"]


@pytest.mark.parametrize("state", [State.CANCELLED, State.FAILED])
def test_a_queued_execution_can_be_ended_by_hand(state):
    house = crowded(limited()).begin()
    house.tell(UnqueueRequested(state))

    assert house.history() == ["CREATED", "QUEUED", state.value]


def test_a_queued_execution_can_be_let_in_by_hand():
    house = crowded(limited()).begin()
    house.tell(UnqueueRequested())

    assert house.history() == ["CREATED", "QUEUED", "RUNNING"]


def test_only_a_queued_execution_can_be_unqueued():
    house = House.of(limited()).begin()
    before = house.execution

    assert house.tell(UnqueueRequested(State.FAILED)).execution is before


def test_a_forced_run_asks_nobody():
    house = crowded(limited()).begin()
    house.tell(RunForced())

    assert house.history() == ["CREATED", "QUEUED", "RUNNING"]


def test_a_forced_run_waits_for_no_date():
    house = House.of(flow(work("a")))
    house.execution = replace(house.execution, schedule_date=NOW + timedelta(days=1))
    house.begin()
    assert house.state is State.CREATED

    house.tell(RunForced())
    assert house.state is State.RUNNING


def test_a_forced_run_resumes_what_is_paused():
    house = House.of(flow(flowable("Pause", "p"), work("a"))).begin()
    assert house.state is State.PAUSED
    house.tell(RunForced())
    while house.step():
        pass

    assert house.state is State.SUCCESS


def test_a_forced_run_of_a_running_execution_asks_again_for_what_it_waits_for():
    house = House.of(flow(work("a"))).begin()
    house.jobs.clear()
    house.tell(RunForced())

    assert list(house.jobs) == [("r1", 1)]


def test_an_execution_that_is_run_again_needs_a_place_again():
    house = crowded(limited(), running=0).run()
    house.execution = replace(house.execution, history=house.execution.history.to(State.RESTARTED, house.now))
    house.slots = SlotsCounted(1, 0, house.flow.concurrency)
    house.tell(TimerDue("go-on"))

    assert house.history()[-2:] == ["RESTARTED", "QUEUED"]


def test_a_resumed_execution_has_kept_its_place():
    pausing = flow(flowable("Pause", "p"), work("a"), concurrency=Concurrency(limit=1))
    house = crowded(pausing, running=0).begin()
    assert house.execution.holds_slot
    house.execution = replace(house.execution, version=1)
    house.slots = SlotsCounted(1, 1, pausing.concurrency)
    house.tell(ResumeRequested())
    house.tell(TimerDue("go-on"))

    assert house.state is State.RUNNING


def test_a_copy_of_an_execution_at_work_has_no_place_yet():
    house = crowded(limited())
    moments = tuple(Moment(State(state), NOW) for state in ("CREATED", "RUNNING", "PAUSED", "RESTARTED"))
    house.execution = replace(house.execution, history=History(moments))
    house.begin()

    assert house.state is State.QUEUED


def in_states(*states):
    house = House.of(limited())
    moments = tuple(Moment(State(state), NOW) for state in states)
    return replace(house.execution, history=History(moments))


@pytest.mark.parametrize(
    "states",
    [
        ["CREATED", "RUNNING"],
        ["CREATED", "RUNNING", "PAUSED"],
        ["CREATED", "RUNNING", "PAUSED", "RESTARTED"],
        ["CREATED", "RUNNING", "RETRYING"],
        ["CREATED", "RUNNING", "KILLING"],
    ],
)
def test_what_has_begun_holds_a_place(states):
    assert in_states(*states).holds_slot


@pytest.mark.parametrize(
    "states",
    [
        ["CREATED"],
        ["CREATED", "QUEUED"],
        ["CREATED", "QUEUED", "KILLING", "KILLED"],
        ["CREATED", "CANCELLED"],
        ["CREATED", "RUNNING", "SUCCESS"],
        ["CREATED", "RUNNING", "FAILED", "RESTARTED"],
        ["CREATED", "RUNNING", "FAILED", "RESTARTED", "QUEUED"],
    ],
)
def test_what_waits_or_has_ended_holds_none(states):
    assert not in_states(*states).holds_slot


def test_the_place_is_held_while_tasks_follow_the_end():
    house = crowded(limited(after_execution=(work("last"),)), running=0).begin()
    house.step()

    assert house.state is State.SUCCESS
    assert house.execution.holds_slot
    house.step()
    assert not house.execution.holds_slot


def test_who_was_turned_away_holds_no_place_while_its_last_tasks_run():
    house = crowded(limited("CANCEL", after_execution=(work("last"),))).begin()

    assert house.trace == ["last CREATED"]
    assert not house.execution.holds_slot


def test_an_execution_that_hands_over_gives_up_its_place():
    retry = Retry(kind="constant", max_attempt=3, behavior="CREATE_NEW_EXECUTION")
    house = House.of(limited(retry=retry), outcome=lambda run, attempt: State.FAILED).run()

    assert house.state is State.RETRIED
    assert not house.execution.holds_slot
