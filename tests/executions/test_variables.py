"""What templates see, and that they see it lazily."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from tests.executions.driver import NOW, House, flow, flowable, labels, work

from casemate.executions import Context, State, TaskStarted, variables_of
from casemate.executions.outputs import OutputsView
from casemate.executions.runs import TaskRuns
from casemate.expressions import ExpressionError, Unanswerable, render
from casemate.flows import Input, Label, Retry
from casemate.identifiers import ExecutionId, TaskRunId


def upper(sealed):
    return sealed.cipher.upper()


def each(name, values, *tasks, limit=1):
    return flowable("ForEach", name, *tasks, properties={"values": values, "concurrencyLimit": limit})


def seen(house, wanted=None, template=None, context=Context()):  # noqa: B008 - a frozen value
    run = None if wanted is None else house.named(wanted).id
    variables = variables_of(house.flow, house.execution, run, context)
    return variables if template is None else render(template, variables, Unanswerable(now=NOW))


def test_the_execution_and_its_flow():
    house = House.of(flow(work("a"), variables={"v": "{{ raw }}"}), {"x": 1}).begin()
    variables = seen(house)

    assert variables["flow"] == {"id": "tested", "namespace": "house", "revision": 1, "tenantId": "main"}
    assert variables["execution"] == {"id": "e1", "startDate": NOW, "originalId": "e1", "state": "RUNNING"}
    assert variables["vars"] == {"v": "{{ raw }}"}
    assert variables["inputs"] == {"x": 1}
    assert "taskrun" not in variables
    assert "trigger" not in variables


def test_what_is_not_there_is_absent():
    variables = seen(House.of(flow(work("a"))))

    for name in ("vars", "inputs", "outputs", "tasks", "trigger", "parent", "parents", "nonsense"):
        assert name not in variables
        with pytest.raises(KeyError):
            variables[name]


def test_the_task_and_its_run():
    house = House.of(flow(work("a"))).begin()
    variables = seen(house, "a")

    assert variables["task"] == {"id": "a", "type": "io.kestra.plugin.core.log.Log"}
    assert variables["taskrun"] == {
        "id": "r1",
        "startDate": house.named("a").history.start,
        "attemptsCount": 0,
        "parentId": None,
        "value": None,
    }


def test_attempts_count_those_that_have_ended():
    house = House.of(flow(work("a", retry=Retry(kind="constant"))), outcome=lambda *_: State.FAILED).begin()
    house.step()
    house.step()
    house.tell(TaskStarted(TaskRunId("r1"), 2))

    assert seen(house, "a", "{{ taskrun.attemptsCount }}") == "1"


def test_globals_and_environment_come_from_the_installation():
    context = Context(globals={"g": 1}, envs={"e": "x"})

    assert seen(House.of(flow(work("a"))), None, "{{ globals.g }}{{ envs.e }}", context) == "1x"


def test_variables_of_the_execution_stand_at_the_root():
    house = House.of(flow(work("a")))
    house.execution = replace(
        house.execution, variables={"schedule": {"date": "d"}}, trigger={"id": "t", "variables": {"body": "b"}}
    )

    assert seen(house, None, "{{ schedule.date }}{{ trigger.body }}") == "db"


def test_outputs_are_found_by_task():
    house = House.of(flow(work("a"), work("b-c"))).run()

    assert seen(house, None, "{{ outputs.a.value }} {{ outputs['b-c'].value }}") == "a b-c"


def test_tasks_without_outputs_are_absent_from_outputs():
    house = House.of(flow(work("a"), work("b")), outputs=lambda run: None).run()

    assert dict(seen(house)["outputs"]) == {}


def test_outputs_in_loops_are_found_by_values_outermost_first():
    inner = each("inner", ["p q", "r"], work("deep"))
    house = House.of(
        flow(each("outer", ["1", "2"], work("flat"), flowable("Sequential", "s", work("nested")), inner)),
        outputs=lambda run: {"value": run.id},
    ).run()
    outputs = seen(house)["outputs"]

    assert list(outputs["flat"]) == ["1", "2"]
    assert outputs["flat"]["2"]["value"] == house.named("flat[2]").id
    assert list(outputs["nested"]) == ["1", "2"], "a child of a sequence goes by the value of its ancestor"
    assert list(outputs["deep"]["1"]) == ["p q", "r"]
    assert seen(house, None, "{{ outputs.deep['1']['p q'].value }}") == outputs["deep"]["1"]["p q"]["value"]
    with pytest.raises(ExpressionError):
        seen(house, None, "{{ outputs.flat['3'].value }}")


def test_siblings_of_the_same_iteration_are_found_by_the_value():
    house = House.of(flow(each("each", ["1", "2"], work("a"), work("b")))).run()

    for template in ("{{ outputs.a[taskrun.value].value }}", "{{ currentEachOutput(outputs.a).value }}"):
        assert seen(house, "b[2]", template) == "a"


def test_parents_are_seen_from_the_nearest_to_the_farthest():
    condition = flowable("If", "if", branches={"then": (work("a"),)}, properties={"condition": "true"})
    house = House.of(flow(each("outer", ["1"], each("inner", ["2"], flowable("Sequential", "s", condition))))).run()
    variables = seen(house, "a")

    assert variables["parents"] == [
        {"outputs": {"evaluationResult": True}},
        {"taskrun": {"value": "2"}},
        {"taskrun": {"value": "1"}},
    ]
    assert variables["parent"] == variables["parents"][0]


def test_states_of_tasks():
    house = House.of(flow(work("a"), each("each", ["1"], work("b")))).run()

    assert seen(house, None, "{{ tasks.a.state }} {{ tasks.b['1'].state }}") == "SUCCESS SUCCESS"


def test_labels_appear_by_key_and_the_first_wins():
    house = House.of(flow(work("a"), labels=(Label("k", "1"), Label("k", "2"))))

    assert seen(house)["labels"] == {"k": "1", "system": {"correlationId": "e1"}}


def test_labels_that_a_task_sets_are_seen_by_the_next():
    tested = flow(
        labels("set", {"{{ inputs.key }}": "{{ taskrun.id }}", "n": 42, "b": True, "old": "new"}),
        work("a"),
        labels=(Label("old", "x"),),
    )
    house = House.of(tested, {"key": "k"}).run()

    assert house.trace == ["set SUCCESS", "a SUCCESS"]
    assert len(house.named("set").attempts) == 1
    assert [(label.key, label.value) for label in house.execution.labels] == [
        ("old", "new"),
        ("system.correlationId", "e1"),
        ("k", "r1"),
        ("n", "42"),
        ("b", "true"),
    ]


@pytest.mark.parametrize("written", ['{"k": "v"}', [{"key": "k", "value": "v"}], {"k": "v"}])
def test_labels_come_in_three_forms(written):
    house = House.of(flow(labels("set", written))).run()

    assert ("k", "v") in [(label.key, label.value) for label in house.execution.labels]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ({"system.x": "y"}, "System labels can only be set by Kestra itself, offending label: system.x=y"),
        (["k"], "Unknown value type: java.lang.String"),
        ("12", "Unknown value type: java.lang.Integer"),
        ("{", "Invalid json: "),
        ({"k": "{{ nothing }}"}, "Unable to find `nothing`"),
    ],
)
def test_labels_that_cannot_be_set_fail_the_task_run(written, text):
    house = House.of(flow(labels("set", written), errors=(work("e"),))).run()

    assert house.trace == ["set FAILED", "e SUCCESS"]
    assert house.named("set").attempts[0].history.current is State.FAILED
    assert any(log.startswith(text) for log in house.logs)


def test_inputs_are_live_values():
    kinds = {"day": "DATE", "at": "TIME", "moment": "DATETIME", "lasting": "DURATION", "deep.secret": "SECRET"}
    tested = flow(work("a"), inputs=tuple(Input(id=name, type=kind) for name, kind in kinds.items()))
    stored = {
        "day": "2026-03-01",
        "at": "10:30:00",
        "moment": "2026-03-01T10:00:00Z",
        "lasting": "PT1M",
        "deep": {"secret": "sealed"},
    }
    house = House.of(tested, stored)

    assert seen(house, context=Context(unseal=upper))["inputs"] == {
        "day": date(2026, 3, 1),
        "at": time(10, 30),
        "moment": datetime(2026, 3, 1, 10, tzinfo=UTC),
        "lasting": timedelta(minutes=1),
        "deep": {"secret": "SEALED"},
    }
    assert seen(house)["inputs"]["deep"] == {"secret": "sealed"}


def test_secrets_are_clear_in_every_form_that_they_are_stored_in():
    inputs = (Input(id="one", type="SECRET"), Input(id="list", type="ARRAY", properties={"itemType": "SECRET"}))
    marked = {"value": "b", "type": "io.kestra.datatype:aes_encrypted", "kid": "k1"}
    for stored in ({"one": "b", "list": ["a", "b"]}, {"one": marked, "list": ["a", marked]}):
        house = House.of(flow(work("a"), inputs=inputs), stored)
        assert seen(house, context=Context(unseal=upper))["inputs"] == {"one": "B", "list": ["A", "B"]}
        assert seen(house)["inputs"] == stored


def test_absent_inputs_have_their_defaults():
    tested = flow(work("a"), inputs=(Input(id="n", type="INT", defaults="3"), Input(id="a.b", type="STRING")))

    assert seen(House.of(tested))["inputs"] == {"n": 3, "a": {}}


def test_sealed_outputs_are_clear_for_templates():
    sealed = {"value": {"value": "x", "type": "io.kestra.datatype:aes_encrypted"}, "list": [1]}
    house = House.of(flow(work("a")), outputs=lambda run: sealed).run()

    assert seen(house, None, "{{ outputs.a.value }}", Context(unseal=upper)) == "X"
    assert seen(house)["outputs"]["a"] == sealed


def test_parts_of_an_envelope_in_several_task_runs_are_none():
    (run,) = House.of(flow(work("a"))).run().execution.task_runs.values()
    parts = ({"x": {"type": "io.kestra.datatype:aes_encrypted"}}, {"x": {"value": "stolen"}})
    runs = {f"r{n}": replace(run, id=f"r{n}", outputs=part) for n, part in enumerate(parts)}

    merged = OutputsView(TaskRuns.of(runs), upper)["a"]
    assert merged == {"x": {"type": "io.kestra.datatype:aes_encrypted", "value": "stolen"}}


def test_nothing_is_made_before_it_is_asked_for():
    def refuse(_text):
        raise AssertionError("opened although nobody asked")

    tested = flow(work("a"), inputs=(Input(id="s", type="SECRET"),))
    house = House.of(tested, {"s": "x"})

    assert seen(house, None, "{{ flow.id }}", Context(unseal=refuse)) == "tested"


def test_an_execution_loaded_from_rows_is_seen_the_same():
    house = House.of(flow(each("each", ["1", "2"], work("a")))).run()
    plain = replace(house.execution, task_runs=dict(house.execution.task_runs))

    assert seen(house)["outputs"] == variables_of(house.flow, plain, None)["outputs"]
    assert plain.id == ExecutionId("e1")
