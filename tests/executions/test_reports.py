"""Reports come late, twice, or without the one before; only the one that fits is applied."""

from __future__ import annotations

import pytest
from tests.executions.driver import House, failing, flow, flowable, work

from casemate.executions import Begin, OfferJob, Resolved, State, TaskFinished, TaskStarted, TimerDue, Write
from casemate.executions.model import Answer
from casemate.flows import Retry


def finished(run, attempt=1, state=State.SUCCESS, **more):
    return TaskFinished(task_run=run, attempt=attempt, state=state, **more)


def begun():
    return House.of(flow(work("a"), work("b"))).begin()


def test_outputs_isolation_and_log_file_are_kept():
    house = begun()
    house.tell(TaskStarted("r1", 1))
    house.tell(finished("r1", outputs={"value": None}, isolation={"walls": []}, log_file="kestra:///log"))
    run = house.named("a")

    assert run.outputs == {"value": None}
    assert run.isolation == {"walls": []}
    assert run.attempts[0].log_file == "kestra:///log"


def test_every_attempt_keeps_its_isolation_report():
    house = House.of(flow(work("a", retry=Retry(kind="constant", max_attempt=2)))).begin()
    house.tell(TaskStarted("r1", 1))
    house.tell(finished("r1", state=State.FAILED, isolation={"denied": ["first"]}, log_file="kestra:///first"))
    house.tell(TimerDue("retry:r1:1"))
    house.tell(TaskStarted("r1", 2))
    assert house.named("a").isolation is None
    house.tell(finished("r1", attempt=2, isolation={"denied": []}))
    run = house.named("a")

    assert [attempt.isolation for attempt in run.attempts] == [{"denied": ["first"]}, {"denied": []}]
    assert [attempt.log_file for attempt in run.attempts] == ["kestra:///first", None]
    assert run.isolation == {"denied": []}


@pytest.mark.parametrize("allowed", [False, True])
def test_a_job_that_its_worker_killed_unasked_ends_the_execution_as_killed(allowed):
    inner = flowable("Sequential", "s", work("a", allow_failure=allowed), allow_failure=allowed)
    house = House.of(flow(inner, work("b"))).begin()
    house.tell(TaskStarted("r2", 1))
    house.tell(finished("r2", state=State.KILLED))
    house.run()

    assert house.state is State.KILLED
    assert house.trace == ["s KILLED", "a KILLED", "b SUCCESS"]


def test_a_decision_names_what_changed():
    house = begun()
    assert house.tell(TaskStarted("r1", 1)).changed == ("r1",)
    assert house.tell(finished("r1")).changed == ("r1", "r2")


@pytest.mark.parametrize(
    "event",
    [
        TaskStarted("r1", 2),
        TaskStarted("r1", 0),
        TaskStarted("nobody", 1),
        finished("r1", attempt=2),
        finished("nobody"),
        TimerDue("retry:r1:1"),
        TimerDue("nonsense"),
        Resolved("runIf:r1", Answer("true")),
        Resolved("nonsense", Answer("true")),
    ],
)
def test_what_does_not_fit_changes_nothing(event):
    house = begun()
    before = house.execution
    decision = house.tell(event)

    assert decision.execution is before
    assert decision.commands == ()
    assert decision.changed == ()


def test_a_second_start_changes_nothing():
    house = begun()
    house.tell(TaskStarted("r1", 1))
    before = house.execution

    assert house.tell(TaskStarted("r1", 1)).execution is before


def test_a_second_end_changes_nothing():
    house = begun()
    house.tell(TaskStarted("r1", 1))
    house.tell(finished("r1"))
    before = house.execution

    assert house.tell(finished("r1", state=State.FAILED)).execution is before


def test_an_end_without_its_start_counts_as_both():
    house = begun()
    house.tell(finished("r1"))

    assert house.history("a") == ["CREATED", "RUNNING", "SUCCESS"]
    assert house.trace == ["a SUCCESS", "b CREATED"]


def test_a_report_about_a_flowable_changes_nothing():
    house = House.of(flow(flowable("Sequential", "s", work("a")))).begin()
    before = house.execution

    assert house.tell(finished("r1", attempt=0)).execution is before
    assert house.tell(finished("r1")).execution is before


def test_nothing_happens_after_the_end():
    house = begun().run()
    end = house.execution
    for event in (Begin(), TaskStarted("r1", 1), finished("r1"), TimerDue("start")):
        assert house.tell(event).execution is end
    assert house.kill().execution is end


def test_looking_again_asks_again_for_what_is_wanted_and_changes_nothing():
    house = House.of(flow(flowable("Parallel", "p", work("a"), work("b"), work("c")))).begin()
    house.tell(TaskStarted("r2", 1))
    before = house.execution
    decision = house.tell(Begin())

    assert decision.execution == before
    assert decision.commands == (OfferJob("r3", 1), OfferJob("r4", 1))


def test_the_same_events_give_the_same_execution():
    tested = flow(flowable("Parallel", "p", work("a"), work("ko"), errors=(work("e"),)))

    def one():
        return House.of(tested, outcome=failing("ko")).run()

    assert one().execution == one().execution
    assert one().commands == one().commands


def test_what_has_no_effect_is_said_when_the_execution_starts():
    house = House.of(flow(work("a"), unused=("tasks[0].taskCache has no effect here: why",))).run()

    assert [one.message for one in house.commands if isinstance(one, Write) and one.level == "WARN" and one.kept] == [
        "tasks[0].taskCache has no effect here: why"
    ]
