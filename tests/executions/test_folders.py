"""WorkingDirectory: one job holds the folder, the engine starts what works in it."""

from __future__ import annotations

import itertools

import pytest
from tests.executions.driver import NOW, House, always, failing, flow, flowable, work

from casemate.executions import (
    Begin,
    FolderLost,
    ForgetJob,
    KillJob,
    OfferJob,
    PauseRequested,
    ResumeRequested,
    State,
    TaskFinished,
    TaskStarted,
    TimerDue,
    WrongChoice,
    is_over,
    replayed_from,
    restarted,
    variables_of,
    with_run_state,
)
from casemate.flows import Retry
from casemate.identifiers import ExecutionId, TaskRunId


def directory(*tasks, **more):
    return flowable("WorkingDirectory", "dir", *tasks, **more)


def opened(*tasks, **more):
    """A house whose worker holds the folder of a directory with these tasks."""
    house = House.of(flow(directory(*tasks, **more), work("after")))
    house.begin()
    house.tell(TaskStarted(*house.jobs.popleft()))
    return house


def offers(house):
    return [command for command in house.commands if isinstance(command, OfferJob)]


def test_nothing_is_created_below_before_a_worker_holds_the_folder():
    house = House.of(flow(directory(work("a")))).begin()
    assert house.trace == ["dir CREATED"]
    assert offers(house) == [OfferJob(house.named("dir").id, 1)]


def test_children_are_offered_within_the_folder_one_after_the_other():
    house = opened(work("a"), work("b"))
    assert house.trace == ["dir RUNNING", "a CREATED"]
    assert offers(house)[-1] == OfferJob(house.named("a").id, 1, within=house.named("dir").id)
    house.work_on(*house.jobs.popleft())
    assert house.trace == ["dir RUNNING", "a SUCCESS", "b CREATED"]


def test_the_worker_hears_that_it_is_over_and_what_it_reports_becomes_the_outputs():
    house = opened(work("a"))
    folder = house.named("dir").id
    assert not is_over(house.execution, folder)
    house.work_on(*house.jobs.popleft())
    assert is_over(house.execution, folder)
    assert house.trace == ["dir RUNNING", "a SUCCESS"]
    files = {"outputFiles": {"x": "kestra:///x"}}
    house.tell(TaskFinished(task_run=folder, attempt=1, state=State.SUCCESS, outputs=files))
    assert house.trace == ["dir SUCCESS", "a SUCCESS", "after CREATED"]
    assert house.named("dir").outputs == files


def test_a_directory_ends_as_its_children_did():
    for end in (State.SUCCESS, State.WARNING, State.FAILED):
        house = House.of(
            flow(directory(work("a"))), outcome=lambda run, _, end=end: end if run.task_id == "a" else None
        )
        house.outcome = lambda run, _, end=end: end if run.task_id == "a" else State.SUCCESS
        house.run()
        assert house.named("dir").state is end


def test_the_first_failure_ends_it_and_errors_run_when_the_folder_was_given_up():
    house = House.of(flow(directory(work("a"), work("b"), errors=(work("e"),))), outcome=failing("a"))
    house.begin()
    house.tell(TaskStarted(*house.jobs.popleft()))
    folder = house.named("dir").id
    house.work_on(*house.jobs.popleft())
    assert house.trace == ["dir RUNNING", "a FAILED"]
    assert is_over(house.execution, folder)
    house.finish(folder, 1)
    assert house.trace == ["dir RUNNING", "a FAILED", "e CREATED"]
    assert offers(house)[-1].within is None
    house.run()
    assert house.trace == ["dir FAILED", "a FAILED", "e SUCCESS"]


def test_an_allowed_failure_lets_the_next_child_run():
    house = House.of(flow(directory(work("a", allow_failure=True), work("b"))), outcome=failing("a")).run()
    assert house.trace == ["dir WARNING", "a WARNING", "b SUCCESS"]


def test_a_folder_that_cannot_be_filled_fails_the_directory_and_runs_its_errors():
    house = House.of(flow(directory(work("a"), errors=(work("e"),)))).begin()
    run, attempt = house.jobs.popleft()
    house.finish(run, attempt, State.FAILED)
    assert house.trace == ["dir RUNNING", "e CREATED"]
    assert house.run().trace == ["dir FAILED", "e SUCCESS"]


def test_a_failure_of_the_directory_may_be_allowed():
    house = House.of(flow(directory(work("a"), allow_failure=True)), outcome=failing("a")).run()
    assert house.trace == ["dir WARNING", "a FAILED"]


def test_disabled_children_are_passed_over_and_conditions_are_asked():
    house = House.of(flow(directory(work("a", disabled=True), work("b", run_if="false"), work("c")))).run()
    assert house.trace == ["dir SUCCESS", "b SKIPPED", "c SUCCESS"]
    assert House.of(flow(directory(work("a", disabled=True)))).run().trace == ["dir SUCCESS"]


def test_a_child_is_tried_again_in_the_same_folder():
    retry = Retry(kind="constant", max_attempt=3)
    house = House.of(
        flow(directory(work("a"), retry=retry)),
        outcome=lambda run, attempt: State.FAILED if run.task_id == "a" and attempt < 3 else State.SUCCESS,
    ).run()
    assert house.trace == ["dir SUCCESS", "a SUCCESS"]
    assert len(house.named("a").attempts) == 3
    assert len(house.named("dir").attempts) == 1


def test_a_lost_folder_begins_anew_and_nothing_of_it_is_left():
    house = opened(work("a"), work("b"))
    house.work_on(*house.jobs.popleft())
    held = house.jobs.popleft()
    house.tell(TaskStarted(*held))
    before = {run.id for run in house.runs[1:]}
    decision = house.tell(FolderLost(house.named("dir").id))
    assert house.trace == ["dir RUNNING", "a CREATED"]
    assert house.named("a").id not in before
    assert decision.commands[0] == ForgetJob(held[0])
    assert before <= set(decision.changed)
    house.finish(*held)
    assert house.trace == ["dir RUNNING", "a CREATED"], "the lost worker's report is not heard"


def test_a_folder_that_is_lost_after_it_was_given_up_changes_nothing():
    house = House.of(flow(directory(work("a")), work("after"))).run()
    before = house.execution
    house.tell(FolderLost(house.named("dir").id))
    assert house.execution is before


def test_a_retry_that_is_lost_with_its_folder_is_not_waited_for():
    retry = Retry(kind="constant", max_attempt=3)
    house = opened(work("a", retry=retry))
    run, attempt = house.jobs.popleft()
    house.finish(run, attempt, State.FAILED)
    assert house.state is State.RETRYING
    house.tell(FolderLost(house.named("dir").id))
    assert house.state is State.RUNNING
    assert house.trace == ["dir RUNNING", "a CREATED"]


def test_a_kill_stops_the_child_and_the_holder_of_the_folder():
    house = opened(work("a"), work("b"))
    held = house.jobs.popleft()
    house.tell(TaskStarted(*held))
    folder = house.named("dir").id
    assert {command.task_run for command in house.kill().commands if isinstance(command, KillJob)} == {folder, held[0]}
    house.finish(*held, State.KILLED)
    assert house.state is State.KILLING
    house.finish(folder, 1, State.KILLED)
    assert house.state is State.KILLED
    assert house.trace == ["dir KILLED", "a KILLED"]


def test_a_holder_that_reports_first_takes_its_children_with_it():
    house = opened(work("a"), work("b"))
    held = house.jobs.popleft()
    house.tell(TaskStarted(*held))
    house.finish(house.named("dir").id, 1, State.FAILED)
    assert house.trace == ["dir FAILED", "a KILLED"]
    assert house.state is State.FAILED


def test_the_folder_waits_while_the_execution_is_paused():
    house = opened(work("a"), work("b"))
    folder = house.named("dir").id
    held = house.jobs.popleft()
    house.tell(TaskStarted(*held))
    house.tell(PauseRequested())
    house.finish(*held)
    assert house.trace == ["dir RUNNING", "a SUCCESS"]
    assert not is_over(house.execution, folder)
    house.tell(ResumeRequested())
    assert house.trace == ["dir RUNNING", "a SUCCESS", "b CREATED"]


def test_looking_again_after_a_crash_offers_the_same():
    house = opened(work("a"), work("b"))
    house.jobs.clear()
    house.tell(Begin())
    assert list(house.jobs) == [(house.named("a").id, 1)]


def test_children_see_what_their_directory_sees():
    inner = directory(work("a"), errors=(work("e"),))
    house = House.of(flow(flowable("ForEach", "each", inner, properties={"values": ["v"]})), outcome=failing("a"))
    house.run()
    child, error = (variables_of(house.flow, house.execution, house.named(name).id) for name in ("a", "e"))
    assert child["taskrun"]["value"] == "v"
    assert child["task"]["id"] == "a"
    assert child["workerTaskrun"]["id"] == house.named("dir[v]").id
    assert "parent" not in child
    assert "workerTaskrun" not in error
    assert error["parent"]["taskrun"] == {"value": "v"}


def test_outputs_of_a_child_stand_below_the_values_around_the_directory():
    inner = directory(work("a"), work("b"))
    house = House.of(flow(flowable("ForEach", "each", inner, properties={"values": ["v"]}))).run()
    assert variables_of(house.flow, house.execution)["outputs"]["a"]["v"] == {"value": "a"}


def test_every_outcome_of_the_worker_is_an_end():
    for state in (State.SUCCESS, State.FAILED):
        assert House.of(flow(directory(work("a"), work("b"))), outcome=always(state)).run().state is state


def test_a_restart_begins_the_directory_anew_with_a_job_of_its_own():
    house = House.of(flow(directory(work("a"), work("b"))), outcome=failing("b")).run()
    old = {run.id for run in house.runs[1:]}
    decision = restarted(house.flow, house.execution, house.now)
    house.execution, house.outcome = decision.execution, always(State.SUCCESS)
    assert house.trace == ["dir RESTARTED"]
    assert len(house.history("dir")) == 4
    house.tell(TimerDue("go-on"))
    assert offers(house)[-1] == OfferJob(house.named("dir").id, 2)
    assert house.run().trace == ["dir SUCCESS", "a SUCCESS", "b SUCCESS"]
    assert old.isdisjoint(run.id for run in house.runs)


def test_a_replay_does_not_wait_for_a_folder_of_the_old_execution():
    house = House.of(flow(flowable("Parallel", "both", directory(work("a")), work("b")))).begin()
    house.tell(TaskStarted(*house.jobs.popleft()))
    ids = (TaskRunId(f"n{number}") for number in itertools.count())
    again = replayed_from(
        house.flow, house.execution, house.named("b").id, id=ExecutionId("e2"), now=NOW, new_id=lambda: next(ids)
    )
    other = House(flow=house.flow, execution=again, now=house.now)
    assert "a" not in [run.task_id for run in other.runs]
    other.tell(TimerDue("go-on"))
    assert other.run().state is State.SUCCESS


def test_the_end_of_a_task_in_a_folder_that_is_gone_is_not_changed():
    house = House.of(flow(directory(work("a"), work("b"))), outcome=failing("a")).run()
    with pytest.raises(WrongChoice, match="working directory in which the task ran is gone"):
        with_run_state(house.flow, house.execution, house.named("a").id, State.SUCCESS, house.now)
    decision = with_run_state(house.flow, house.execution, house.named("dir").id, State.SUCCESS, house.now)
    assert decision.execution.task_runs[house.named("dir").id].state is State.SUCCESS
