"""Executions as Kestra's API shows them, and as Kestra's own client reads them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tests.executions.driver import NOW, House, failing, flow, flowable, work

from casemate.executions import State, replayed, start, to_json
from casemate.flows import Label
from casemate.identifiers import ExecutionId


def finished():
    loop = flowable("ForEach", "each", work("a"), properties={"values": ["1"]})
    return House.of(flow(loop, labels=(Label("team", "x"),)), {"n": 1}).run()


def test_the_shape_of_an_execution():
    shown = to_json(finished().execution)

    assert json.loads(json.dumps(shown)) == shown
    assert {key: shown[key] for key in ("id", "namespace", "flowId", "flowRevision", "originalId", "deleted")} == {
        "id": "e1",
        "namespace": "house",
        "flowId": "tested",
        "flowRevision": 1,
        "originalId": "e1",
        "deleted": False,
    }
    assert shown["inputs"] == {"n": 1}
    assert shown["labels"] == [{"key": "team", "value": "x"}, {"key": "system.correlationId", "value": "e1"}]
    assert shown["metadata"] == {"attemptNumber": 1, "originalCreatedDate": "2026-03-01T12:00:00.000000Z"}
    assert shown["state"]["current"] == "SUCCESS"
    assert [one["state"] for one in shown["state"]["histories"]] == ["CREATED", "RUNNING", "SUCCESS"]
    assert shown["state"]["startDate"] == "2026-03-01T12:00:00.000000Z"
    assert shown["state"]["duration"] == "PT0.003S"


def test_the_shape_of_a_task_run():
    house = finished()
    each, run = to_json(house.execution)["taskRunList"]

    assert "attempts" not in each
    assert "outputs" not in each
    assert run["parentTaskRunId"] == each["id"]
    assert (run["executionId"], run["taskId"], run["value"]) == ("e1", "a", "1")
    assert run["outputs"] == {"value": "a"}
    assert [attempt["state"]["current"] for attempt in run["attempts"]] == ["SUCCESS"]


def test_an_execution_that_has_not_begun_has_no_task_runs_and_no_end():
    shown = to_json(House.of(flow(work("a"))).execution)

    assert "taskRunList" not in shown
    assert "endDate" not in shown["state"]
    assert shown["state"]["duration"] == "PT0S"


@pytest.mark.parametrize("house", [House.of(flow(work("a"))), finished(), House.of(flow(work("a"))).begin()])
def test_kestras_own_client_reads_it(house):
    model = pytest.importorskip("kestrapy.models.execution", exc_type=ImportError)
    read = model.Execution.from_dict(json.loads(json.dumps(to_json(house.execution))))

    assert read.state.current.value == house.state.value
    assert len(read.task_run_list or []) == len(house.runs)


# How an execution comes to be -----------------------------------------------------------------------------------------


def test_labels_of_a_new_execution_stand_in_order():
    tested = flow(work("a"), labels=(Label("flow", "1"), Label("system.readOnly", "true")))
    execution = start(tested, id=ExecutionId("e1"), now=NOW, inputs={}, labels=[Label("given", "2")])

    assert [label.key for label in execution.labels] == ["flow", "given", "system.correlationId"]


def test_a_given_correlation_is_kept():
    given = Label("system.correlationId", "parent")
    execution = start(flow(work("a")), id=ExecutionId("e1"), now=NOW, inputs={}, labels=[given])

    assert execution.labels == (given,)


def test_a_scheduled_execution_waits_for_its_date():
    tested = flow(work("a"))
    date = NOW + timedelta(hours=1)
    house = House(tested, start(tested, id=ExecutionId("e1"), now=NOW, inputs={}, schedule_date=date)).begin()

    assert house.state is State.CREATED
    assert house.timers == {"start": date}
    house.step()
    assert house.trace == ["a CREATED"]


def test_a_replay_keeps_what_it_was_started_with():
    house = House.of(flow(work("a"), labels=(Label("k", "v"),)), {"n": 1}, outcome=failing("a")).run()
    again = replayed(house.execution, id=ExecutionId("e2"), now=NOW)

    assert again.state is State.CREATED
    assert not again.task_runs
    assert (again.parent_id, again.original_id, again.attempt_number) == ("e1", "e1", 2)
    assert (again.inputs, again.labels) == (house.execution.inputs, house.execution.labels)
