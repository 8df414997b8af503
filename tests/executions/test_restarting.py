"""Executions that are run again: from what failed, from a task run, by the word of a person."""

import itertools
from dataclasses import replace

import pytest
from tests.executions.driver import NOW, House, failing, flow, flowable, work

from casemate.executions import (
    PauseRequested,
    State,
    WrongChoice,
    WrongState,
    replayed,
    replayed_from,
    restarted,
    restarted_as,
    with_run_state,
    with_status,
)
from casemate.identifiers import ExecutionId, TaskRunId

THREE = flow(work("a"), work("b"), work("c"))
NESTED = flow(
    flowable(
        "EachSequential",
        "each",
        work("before"),
        flowable("EachSequential", "inner", work("x"), work("y"), properties={"value": ["1", "2"]}),
        work("behind"),
        properties={"value": ["a", "b", "c"]},
    ),
    work("end"),
)


def mended(house, *tasks):
    """From now on only these fail."""
    house.outcome = failing(*tasks)
    return house


def restart(house):
    decision = restarted(house.flow, house.execution, house.now)
    return _taken(house, decision)


def _taken(house, decision):
    house.execution = decision.execution
    for command in decision.commands:
        house._obey(command)
    return decision


def replay(house, task_run, **more):
    ids = (TaskRunId(f"new{number}") for number in itertools.count())
    key = ExecutionId("e2")
    again = replayed_from(house.flow, house.execution, task_run, id=key, now=NOW, new_id=lambda: next(ids), **more)
    return House(flow=house.flow, execution=again, now=house.now)


def go_on(house):
    while house.step():
        pass
    return house


def test_a_restart_runs_what_failed_and_what_follows():
    house = House.of(THREE, outcome=failing("b")).run()
    ids = [run.id for run in house.runs]
    restart(mended(house))
    assert house.trace == ["a SUCCESS", "b RESTARTED"]
    assert house.history() == ["CREATED", "RUNNING", "FAILED", "RESTARTED"]
    go_on(house)
    assert house.trace == ["a SUCCESS", "b SUCCESS", "c SUCCESS"]
    assert [run.id for run in house.runs][:2] == ids
    assert [len(run.attempts) for run in house.runs] == [1, 2, 1]
    assert house.state is State.SUCCESS
    assert house.execution.attempt_number == 2


def test_a_restart_that_fails_again_can_be_restarted_again():
    house = House.of(THREE, outcome=failing("b")).run()
    for _ in range(2):
        restart(house)
        go_on(house)
        assert house.state is State.FAILED
    assert len(house.named("b").attempts) == 3


def test_the_errors_branch_is_forgotten_and_runs_again():
    tested = flow(flowable("Sequential", "seq", work("bad"), errors=(work("sorry"),)))
    house = House.of(tested, outcome=failing("bad")).run()
    assert house.trace == ["seq FAILED", "bad FAILED", "sorry SUCCESS"]
    first = house.named("sorry").id
    restart(house)
    assert house.trace == ["seq RUNNING", "bad RESTARTED"]
    go_on(house)
    assert house.trace == ["seq FAILED", "bad FAILED", "sorry SUCCESS"]
    assert house.named("sorry").id != first


def test_a_flowable_that_never_began_begins_again():
    tested = flow(
        flowable("If", "choose", branches={"then": (work("yes"),)}, properties={"condition": "{{ nothing }}"})
    )
    house = House.of(tested).run()
    assert house.trace == ["choose FAILED"]
    restart(house)
    assert house.trace == ["choose RESTARTED"]
    go_on(house)
    assert house.state is State.FAILED


def test_a_running_execution_is_not_restarted():
    house = House.of(THREE).begin()
    with pytest.raises(WrongState, match="Execution must be terminated to be restarted, current state is 'RUNNING' !"):
        restarted(house.flow, house.execution, NOW)


def test_what_went_well_is_not_restarted():
    house = House.of(THREE).run()
    with pytest.raises(WrongChoice, match="No task found to restart execution from!"):
        restarted(house.flow, house.execution, NOW)


def test_a_restart_in_another_revision_is_a_new_execution():
    house = House.of(THREE, outcome=failing("b")).run()
    newer = replace(flow(work("a"), work("b"), work("d")), revision=2)
    ids = iter(["n1", "n2"])
    again = restarted_as(newer, house.execution, id=ExecutionId("e2"), now=NOW, new_id=lambda: TaskRunId(next(ids)))
    assert (again.id, again.parent_id, again.flow_revision) == ("e2", "e1", 2)
    ended = House(flow=newer, execution=again, now=house.now).run()
    assert ended.trace == ["a SUCCESS", "b SUCCESS", "d SUCCESS"]


def test_tasks_that_a_revision_does_not_have_are_left_out():
    house = House.of(THREE, outcome=failing("c")).run()
    newer = flow(work("a"), work("c"))
    ids = iter(["n1", "n2"])
    again = restarted_as(newer, house.execution, id=ExecutionId("e2"), now=NOW, new_id=lambda: TaskRunId(next(ids)))
    assert [run.task_id for run in again.task_runs.values()] == ["a", "c"]


def test_a_failed_task_that_a_revision_does_not_have_cannot_be_restarted():
    house = House.of(THREE, outcome=failing("c")).run()
    with pytest.raises(WrongChoice):
        restarted_as(flow(work("a")), house.execution, id=ExecutionId("e2"), now=NOW, new_id=lambda: TaskRunId("n"))


def test_a_replay_from_the_beginning_starts_with_nothing():
    house = House.of(THREE).run()
    again = replayed(house.execution, id=ExecutionId("e2"), now=NOW)
    assert (again.state, again.parent_id, again.original_id) == (State.CREATED, "e1", "e1")
    assert not again.task_runs


def test_a_replay_keeps_what_stands_before_the_task_run():
    house = House.of(THREE).run()
    again = replay(house, house.named("b").id)
    assert again.trace == ["a SUCCESS", "b RESTARTED"]
    assert again.history() == ["CREATED", "RUNNING", "SUCCESS", "RESTARTED"]
    assert {run.id for run in again.runs}.isdisjoint(run.id for run in house.runs)
    again.run()
    assert again.trace == ["a SUCCESS", "b SUCCESS", "c SUCCESS"]
    assert again.state is State.SUCCESS


def test_a_replay_from_a_nested_loop_goes_through_the_rest_of_it():
    house = House.of(NESTED).run()
    whole = sorted(house.trace)
    chosen = house.named("inner[a]")
    again = replay(house, chosen.id)
    assert len(again.runs) == 5
    assert again.history("inner[a]") == ["CREATED", "RUNNING", "SUCCESS", "RUNNING"]
    again.run()
    assert sorted(again.trace) == whole
    assert again.state is State.SUCCESS


def test_a_replay_from_within_a_nested_loop_keeps_its_ancestors():
    house = House.of(NESTED).run()
    inner = house.named("inner[a]")
    chosen = next(run for run in house.runs if run.parent == inner.id)
    again = replay(house, chosen.id)
    assert len(again.runs) == 6
    assert again.named("inner[a]").state is State.RUNNING
    again.run()
    assert sorted(again.trace) == sorted(house.trace)


def test_a_replay_in_sequence_never_runs_two_values_at_once():
    house = House.of(NESTED).run()
    again = replay(house, house.named("inner[a]").id).begin()
    while again.step():
        assert len(again.jobs) <= 1


def test_branches_beside_the_replayed_one_are_kept():
    tested = flow(
        flowable("Parallel", "par", work("a"), flowable("Sequential", "seq", work("b"), work("c")), work("d")),
        work("end"),
    )
    house = House.of(tested).run()
    again = replay(house, house.named("seq").id)
    assert again.trace == ["par RUNNING", "a SUCCESS", "seq RUNNING", "d SUCCESS"]


def test_what_depends_on_a_replayed_task_runs_again():
    tested = flow(
        flowable("Dag", "dag", work("a"), work("b"), work("c"), depends_on={"b": ("a",), "c": ()}),
    )
    house = House.of(tested).run()
    again = replay(house, house.named("a").id)
    assert sorted(again.trace) == ["a RESTARTED", "c SUCCESS", "dag RUNNING"]


def test_a_replay_of_a_running_execution_does_not_wait_for_its_workers():
    tested = flow(flowable("Parallel", "par", work("a"), work("b")))
    house = House.of(tested).begin()
    house.start_all()
    again = replay(house, house.named("a").id)
    assert again.trace == ["par RUNNING", "a RESTARTED", "b RESTARTED"]
    again.run()
    assert again.state is State.SUCCESS


def test_an_unknown_task_run_cannot_be_replayed():
    house = House.of(THREE).run()
    with pytest.raises(WrongChoice, match="No task found to restart execution from!"):
        replay(house, TaskRunId("nobody"))


def test_a_failed_task_run_can_be_called_a_success():
    tested = flow(flowable("Sequential", "seq", work("bad"), work("next")), errors=(work("sorry"),))
    house = House.of(tested, outcome=failing("bad")).run()
    assert house.trace == ["seq FAILED", "bad FAILED", "sorry SUCCESS"]
    _taken(house, with_run_state(house.flow, house.execution, house.named("bad").id, State.SUCCESS, house.now))
    assert house.state is State.RESTARTED
    assert house.trace == ["seq RUNNING", "bad SUCCESS"]
    assert house.named("bad").attempts[-1].history.current is State.SUCCESS
    go_on(house)
    assert house.trace == ["seq SUCCESS", "bad SUCCESS", "next SUCCESS"]
    assert house.state is State.SUCCESS


def test_a_good_task_run_can_be_called_a_failure():
    house = House.of(flow(flowable("Sequential", "seq", work("a")))).run()
    _taken(house, with_run_state(house.flow, house.execution, house.named("a").id, State.FAILED, house.now))
    go_on(house)
    assert house.trace == ["seq FAILED", "a FAILED"]
    assert house.state is State.FAILED


def test_while_another_task_run_is_paused_the_execution_stays_so():
    tested = flow(flowable("Parallel", "par", flowable("Pause", "p1"), flowable("Pause", "p2")))
    house = House.of(tested).begin()
    _taken(house, with_run_state(house.flow, house.execution, house.named("p1").id, State.RUNNING, house.now))
    assert house.state is State.PAUSED
    _taken(house, with_run_state(house.flow, house.execution, house.named("p2").id, State.RUNNING, house.now))
    assert house.state is State.RESTARTED
    assert go_on(house).state is State.SUCCESS


def test_what_a_worker_may_be_at_is_not_changed():
    house = House.of(THREE).begin()
    house.start_all()
    with pytest.raises(WrongState):
        with_run_state(house.flow, house.execution, house.named("a").id, State.SUCCESS, NOW)


@pytest.mark.parametrize("state", [State.RUNNING, State.CREATED, State.PAUSED])
def test_an_ended_task_run_is_only_given_another_end(state):
    house = House.of(THREE).run()
    with pytest.raises(WrongChoice):
        with_run_state(house.flow, house.execution, house.named("a").id, state, NOW)


def test_an_end_can_be_changed_into_another_end():
    house = House.of(THREE, outcome=failing("a")).run()
    assert with_status(house.execution, State.SUCCESS, NOW).execution.state is State.SUCCESS


def test_a_status_is_only_changed_from_end_to_end():
    house = House.of(THREE).begin()
    with pytest.raises(WrongChoice, match=r"You can only change the status of a terminated execution."):
        with_status(house.execution, State.SUCCESS, NOW)
    house.run()
    with pytest.raises(WrongChoice, match=r"You can only change the status of an execution to a terminal state."):
        with_status(house.execution, State.RUNNING, NOW)


def test_a_paused_execution_is_restarted_past_its_pause():
    house = House.of(flow(flowable("Pause", "wait"), work("a"))).begin()
    restart(house)
    go_on(house)
    assert house.trace == ["wait SUCCESS", "a SUCCESS"]


def test_what_a_person_paused_has_nothing_to_restart_from():
    house = House.of(THREE).begin()
    house.tell(PauseRequested())
    with pytest.raises(WrongChoice):
        restarted(house.flow, house.execution, NOW)
