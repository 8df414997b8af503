"""Large and deep flows: no recursion errors, and no long waits."""

import json
import time

import pytest

from casemate.flows import read_flow, to_json
from casemate.identifiers import MAIN

CORE = "io.kestra.plugin.core."
LOG = {"id": "log", "type": CORE + "log.Log", "message": "x"}


def nested(levels, wrap):
    task = LOG
    for level in range(levels):
        task = wrap(f"t{level}", task)
    return json.dumps({"id": "f", "namespace": "a.b", "tasks": [task]})


WRAPS = {
    "Sequential": lambda name, task: {"id": name, "type": CORE + "flow.Sequential", "tasks": [task]},
    "If": lambda name, task: {"id": name, "type": CORE + "flow.If", "condition": "x", "then": [task]},
    "Switch": lambda name, task: {"id": name, "type": CORE + "flow.Switch", "value": "x", "cases": {"a": [task]}},
    "Dag": lambda name, task: {"id": name, "type": CORE + "flow.Dag", "tasks": [{"task": task}]},
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_sixty_four_flowables_inside_each_other_are_read_and_shown(flow_of, wrap):
    flow = flow_of(nested(63, wrap))
    assert len(list(flow.all_tasks())) == 64
    assert json.dumps(to_json(flow))


def test_a_problem_below_sixty_four_levels_is_told_with_its_place(told):
    text = nested(64, WRAPS["Sequential"]).replace('"message"', '"mesage"')
    problems = told(text)
    assert len(problems) == 2
    assert all(each.startswith("1:") and "].tasks[0]" in each for each in problems)


def test_deeper_flows_are_refused_and_not_met_by_an_overflow(told):
    (problem,) = told(nested(150, WRAPS["Sequential"]))
    assert "nested deeper than" in problem


def test_a_flow_of_one_mebibyte_is_read_in_seconds(flow_of):
    tasks = [{**LOG, "id": f"t{number}"} for number in range(12_000)]
    text = json.dumps({"id": "f", "namespace": "a.b", "tasks": tasks})
    began = time.process_time()
    assert len(flow_of(text).tasks) == 12_000
    assert time.process_time() - began < 20


def test_thousands_of_wrong_names_are_told_without_long_thought(catalog):
    tasks = [{"id": f"t{number}", "type": f"io.kestra.plugin.core.log.Lgo{number}"} for number in range(5_000)]
    text = json.dumps({"id": "f", "namespace": "a.b", "tasks": tasks})
    began = time.process_time()
    assert len(read_flow(text, catalog, MAIN)) == 5_000
    assert time.process_time() - began < 20


def test_a_validator_that_could_run_for_ever_is_compiled_by_a_linear_engine(flow_of):
    text = {"id": "f", "namespace": "a.b", "tasks": [LOG]}
    text["inputs"] = [{"id": "i", "type": "STRING", "validator": "^(a+)+$"}]
    assert flow_of(json.dumps(text)).inputs[0].properties["validator"] == "^(a+)+$"
