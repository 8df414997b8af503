"""What is written to rows is read back the same."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from casemate.executions import (
    Answer,
    Attempt,
    Execution,
    History,
    State,
    TaskRun,
    execution_document,
    execution_from,
    task_run_document,
    task_run_from,
)
from casemate.flows import Label
from casemate.identifiers import MAIN, ExecutionId, FlowId, Namespace, TaskId, TaskRunId

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

RUN = TaskRun(
    id=TaskRunId("r1"),
    task_id=TaskId("each"),
    history=History.begun(NOW).to(State.RUNNING, NOW + timedelta(seconds=1)),
    parent=TaskRunId("r0"),
    value="a b",
    iteration=2,
    attempts=(
        Attempt(History.begun(NOW, State.RUNNING), "kestra:///log", {"walls": ["user"]}),
        Attempt(History.begun(NOW, State.RUNNING), None, {"walls": ["user", "root"]}),
    ),
    outputs={"value": None, "list": [1, 2.5, "é"]},
    values=("1", "2"),
    due=NOW,
)

EXECUTION = Execution(
    id=ExecutionId("e1"),
    tenant=MAIN,
    namespace=Namespace("team.x"),
    flow_id=FlowId("flow"),
    flow_revision=3,
    history=History.begun(NOW),
    task_runs={RUN.id: RUN},
    inputs={"day": "2026-03-01"},
    labels=(Label("a", "b"), Label("a", "c")),
    trigger={"id": "t", "type": "x", "variables": {}},
    original_id=ExecutionId("e0"),
    original_created=NOW,
    asked=frozenset({"k1", "k2"}),
    replay_at=NOW,
    version=7,
)


def through_json(value):
    return json.loads(json.dumps(value))


def test_a_task_run_survives_its_row():
    assert task_run_from(through_json(task_run_document(RUN))) == RUN


def test_the_isolation_report_of_an_older_row_is_that_of_its_last_attempt():
    document = through_json(task_run_document(RUN))
    older = {**document, "attempts": [each[:2] for each in document["attempts"]], "isolation": {"walls": ["old"]}}
    run = task_run_from(older)
    assert [attempt.isolation for attempt in run.attempts] == [None, {"walls": ["old"]}]


def test_a_plain_task_run_survives_its_row():
    plain = TaskRun(id=TaskRunId("r"), task_id=TaskId("t"), history=History.begun(NOW))
    assert task_run_from(through_json(task_run_document(plain))) == plain


def test_an_execution_survives_its_row():
    document = through_json(execution_document(EXECUTION))
    assert execution_from(document, [RUN], version=7) == EXECUTION


def test_answers_of_the_world_are_in_no_row_and_what_they_belong_to_is_asked_again():
    waiting = replace(EXECUTION, answers={"k": Answer("opensesame")})
    document = through_json(execution_document(waiting))
    assert "opensesame" not in str(document)
    assert execution_from(document, [RUN], version=7) == replace(EXECUTION, asked=EXECUTION.asked | {"k"})


def test_answers_in_rows_of_older_versions_are_asked_again():
    older = {**through_json(execution_document(EXECUTION)), "answers": {"k": ["opensesame", None]}}
    assert execution_from(older, [RUN], version=7) == replace(EXECUTION, asked=EXECUTION.asked | {"k"})


def test_the_row_of_an_execution_holds_no_task_runs():
    assert "taskRuns" not in execution_document(EXECUTION)
