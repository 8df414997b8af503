"""Each known way around forced defaults and runners, in which it leads nowhere (spec/isolation 17, W4 to W7)."""

import json

import pytest

from casemate.catalog import Capability, Catalog, Kind, Manifest
from casemate.documents import plain, read
from casemate.flows import parse, parse_task, read_flow
from casemate.governance import Rulebook, configured, forced_runner, govern
from casemate.identifiers import MAIN

PROCESS = "io.kestra.plugin.core.runner.Process"
CELLAR = "company.runner.Cellar"
SHELL = "io.kestra.plugin.scripts.shell.Commands"
RUNNER = {
    "properties": {
        "taskRunner": {"x-holds": "task-runner", "default": {"type": PROCESS}},
        "runner": {"type": "string"},
        "docker": {"type": "object"},
        "code": {"type": "string"},
    }
}


def type_(name, kind=Kind.TASK, properties=None, **more):
    return Manifest(type=name, kind=kind, title="x", properties=properties or {"properties": {}}, **more)


RUNS = frozenset({Capability.RUNS_CODE})


@pytest.fixture(scope="module")
def forced(catalog):
    """The catalog of a server that forces a runner, with types of plugins that run code in other ways."""
    further = (
        type_(CELLAR, Kind.TASK_RUNNER, {"properties": {"privileged": {"type": "boolean"}}}),
        type_("company.dbt.Cli", properties=RUNNER, capabilities=RUNS, aliases=("company.old.Dbt",)),
        type_("company.groovy.Eval", properties={"properties": {"code": {"type": "string"}}}, capabilities=RUNS),
        type_("company.ScriptTrigger", Kind.TRIGGER, RUNNER, capabilities=RUNS),
        type_("company.harmless.Task"),
    )
    rules = Rulebook(configured=forced_runner(CELLAR))
    return Catalog((*catalog.all(), *further), rules)


def flow(**sections):
    return json.dumps(
        {"id": "f", "namespace": "a.b", "tasks": [{"id": "x", "type": "company.harmless.Task"}], **sections}
    )


def runners(text, catalog):
    """The runner of everything that has one, by its id."""
    found = govern(read(text), catalog.rules.laws(MAIN, "a.b"), catalog)
    assert not list(found.problems("f"))
    return dict(_runners(plain(found.document.root)))


def _runners(value):
    if isinstance(value, dict):
        if {"taskRunner", "id"} <= value.keys():
            yield value["id"], value["taskRunner"]
        for each in value.values():
            yield from _runners(each)
    for each in value if isinstance(value, list) else ():
        yield from _runners(each)


WRITTEN = {
    "w4 omitted": {},
    "w4 null": {"taskRunner": None},
    "w4 another runner": {"taskRunner": {"type": PROCESS}},
    "w4 a runner nobody knows": {"taskRunner": {"type": "{{ inputs.runner }}"}},
    "w4 legacy process": {"runner": "PROCESS"},
    "w4 legacy docker": {"runner": "DOCKER", "docker": {"image": "x", "networkMode": "host"}},
    "w4 legacy docker alone": {"docker": {"image": "x", "volumes": ["/:/host"]}},
    "w4 legacy beside another": {"taskRunner": {"type": PROCESS}, "runner": "DOCKER"},
}


@pytest.mark.parametrize("task_type", [SHELL, "company.dbt.Cli", "company.old.Dbt"])
@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_whatever_a_task_says_of_its_runner_it_gets_the_forced_one(forced, task_type, written):
    task = {"id": "t", "type": task_type, "commands": ["ls"], **written}
    found = govern(read(flow(tasks=[task])), forced.rules.laws(MAIN, "a.b"), forced)
    (made,) = plain(found.document.root)["tasks"]
    assert made["taskRunner"] == {"type": CELLAR}
    assert "runner" not in made
    assert "docker" not in made


PLACES = {
    "nested": {"tasks": [{"id": "p", "type": "io.kestra.plugin.core.flow.Parallel", "tasks": ["T"]}]},
    "a branch": {"tasks": [{"id": "p", "type": "io.kestra.plugin.core.flow.If", "condition": "x", "then": ["T"]}]},
    "errors": {"errors": ["T"]},
    "finally": {"finally": ["T"]},
    "after the execution": {"afterExecution": ["T"]},
    "listeners": {"listeners": [{"tasks": ["T"]}]},
    "a working directory": {
        "tasks": [{"id": "p", "type": "io.kestra.plugin.core.flow.WorkingDirectory", "tasks": ["T"]}]
    },
}


@pytest.mark.parametrize("sections", PLACES.values(), ids=PLACES)
def test_w4_wherever_a_task_stands_it_gets_the_forced_runner(forced, sections):
    text = flow(**sections).replace('"T"', json.dumps({"id": "t", "type": SHELL, "commands": ["ls"]}))
    assert runners(text, forced) == {"t": {"type": CELLAR}}


def test_w4_a_trigger_that_runs_a_script_gets_the_forced_runner(forced):
    trigger = {"id": "t", "type": "company.ScriptTrigger", "code": "ls"}
    assert runners(flow(triggers=[trigger]), forced) == {"t": {"type": CELLAR}}


def test_w4_code_that_cannot_be_given_a_runner_is_refused(forced):
    (problem,) = read_flow(flow(tasks=[{"id": "t", "type": "company.groovy.Eval", "code": "x"}]), forced, MAIN)
    assert (
        "'t' of type 'company.groovy.Eval' is not allowed. It runs code and cannot be given a task runner"
        in problem.message
    )
    assert problem.path == "tasks[0].type"


@pytest.mark.parametrize("name", ["Bash", "Python", "Node"])
def test_w4_legacy_scripts_outside_the_prefix_do_not_exist(forced, name):
    task = {"id": "t", "type": f"io.kestra.core.tasks.scripts.{name}", "commands": ["ls"], "runner": "PROCESS"}
    (problem,) = read_flow(flow(tasks=[task]), forced, MAIN)
    assert problem.message == f"Invalid type: io.kestra.core.tasks.scripts.{name}"


def test_w4_a_templated_type_is_no_type(forced):
    (problem,) = read_flow(flow(tasks=[{"id": "t", "type": "{{ inputs.type }}", "commands": ["ls"]}]), forced, MAIN)
    assert problem.message.startswith("Invalid type: {{ inputs.type }}")


def test_w4_a_task_that_a_template_brings_to_light_gets_the_forced_runner(forced):
    task = parse_task(
        read(f"{{id: t, type: {SHELL}, commands: [ls], runner: PROCESS}}"), forced, forced.rules.laws(MAIN, "a.b")
    )
    assert task.properties["taskRunner"] == {"type": CELLAR}


@pytest.mark.parametrize("forced_too", [False, True])
@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_w4_a_default_of_the_flow_puts_no_other_runner_in_place(forced, written, forced_too):
    entry = {"type": "io.kestra.plugin.scripts.sh", "forced": forced_too, "values": {**written, "env": {"A": "1"}}}
    text = flow(tasks=[{"id": "t", "type": SHELL, "commands": ["ls"]}], pluginDefaults=[entry])
    found = govern(read(text), forced.rules.laws(MAIN, "a.b"), forced)
    (made,) = plain(found.document.root)["tasks"]
    assert made["taskRunner"] == {"type": CELLAR}
    assert "runner" not in made
    assert "docker" not in made


@pytest.mark.parametrize("forced_too", [False, True])
def test_w4_a_runner_that_a_default_names_in_an_older_way_is_judged(policy_of, governed, forced_too):
    where = [{"field": "type", "operator": "ENDS_WITH", "value": ".Docker"}]
    rule = policy_of({"type": "Deny", "on": "PLUGIN", "where": where})
    entry = {"type": "io.kestra.plugin.scripts.sh", "forced": forced_too, "values": {"runner": "DOCKER"}}
    outcome = governed({"tasks": [{"id": "t", "type": SHELL, "commands": ["ls"]}], "pluginDefaults": [entry]}, rule)
    assert [each.path for each in outcome.violations] == [("tasks", 0, "taskRunner", "type")]


def test_w4_a_forced_default_for_the_runner_reaches_one_that_nobody_wrote_down(catalog):
    entry = {"type": PROCESS, "forced": True, "values": {"limit": 1}}
    laws = configured("kestra.plugins.defaults", [entry])
    found = govern(read(flow(tasks=[{"id": "t", "type": SHELL}])), laws, catalog)
    assert plain(found.document.root)["tasks"][0]["taskRunner"] == {"type": PROCESS, "limit": 1}


def test_w4_a_default_under_an_old_name_reaches_the_new_one_and_the_other_way(catalog):
    old, new = "io.kestra.core.tasks.log.Log", "io.kestra.plugin.core.log.Log"
    for wanted, written in ((old, new), (new, old)):
        laws = configured("kestra.plugins.defaults", [{"type": wanted, "forced": True, "values": {"level": "WARN"}}])
        found = govern(read(flow(tasks=[{"id": "t", "type": written, "level": "INFO"}])), laws, catalog)
        assert plain(found.document.root)["tasks"][0]["level"] == "WARN"


def test_w5_a_flow_whose_rules_cannot_be_applied_is_not_run_without_them(catalog):
    deep = {"type": "io.kestra", "forced": True, "values": {f"p{number}": 1 for number in range(1_000)}}
    rules = Rulebook(configured=configured("kestra.plugins.defaults", [deep]))
    tasks = [{"id": f"t{number}", "type": "io.kestra.plugin.core.log.Log", "message": "x"} for number in range(300)]
    (problem,) = parse(read(flow(tasks=tasks)), catalog.with_rules(rules), MAIN, complete=True)
    assert problem.message.startswith("Unable to apply plugin defaults: ")


def test_w6_a_forced_list_replaces_and_a_forced_null_removes(catalog):
    values = {"volumes": [], "entryPoint": ["safe"], "networkMode": None}
    laws = configured("kestra.plugins.defaults", [{"type": PROCESS, "forced": True, "values": values}])
    runner = {"type": PROCESS, "volumes": ["/:/host"], "entryPoint": ["sh"], "networkMode": "host"}
    found = govern(read(flow(tasks=[{"id": "t", "type": SHELL, "taskRunner": runner}])), laws, catalog)
    made = plain(found.document.root)["tasks"][0]["taskRunner"]
    assert made == {"type": PROCESS, "volumes": [], "entryPoint": ["safe"]}


@pytest.mark.parametrize("value", [True, "true", "True", "{{ true }}", "{{ inputs.privileged }}"])
def test_w7_an_option_that_a_policy_closes_is_opened_by_no_spelling(policy_of, governed, value):
    rules = policy_of(
        {"type": "Restrict", "on": "PLUGIN", "property": "taskRunner.privileged", "equals": False},
        {
            "type": "Deny",
            "on": "PLUGIN",
            "where": [{"field": "privileged", "operator": "EQUAL_TO", "value": True}],
        },
    )
    outcome = governed({"type": SHELL, "taskRunner": {"type": PROCESS, "privileged": value}}, rules)
    assert {each.law.number for each in outcome.violations} == {1, 2}
    legacy = governed({"type": SHELL, "runner": "DOCKER", "docker": {"image": "x", "privileged": value}}, rules)
    assert 1 in {each.law.number for each in legacy.violations}


def test_w5_a_text_as_deep_as_a_text_may_be_is_governed(catalog):
    deep = '{"a": ' * 190 + "1" + "}" * 190
    text = f'{{"id": "f", "namespace": "a.b", "variables": {deep}, "tasks": [{{"id": "x", "type": "{SHELL}"}}]}}'
    laws = configured("kestra.plugins.defaults", [{"type": SHELL, "forced": True, "values": {"env": {"A": "1"}}}])
    found = govern(read(text), laws, catalog)
    assert plain(found.document.root)["tasks"][0]["env"] == {"A": "1"}
    assert not found.faults


def test_w5_defaults_that_bring_each_other_in_come_to_an_end(catalog):
    kinds = ("io.kestra.plugin.core.log.Log", "io.kestra.plugin.core.debug.Return")
    entries = [
        {"type": one, "forced": True, "values": {"inner": {"type": other}}} for one, other in (kinds, kinds[::-1])
    ]
    laws = configured("kestra.plugins.defaults", entries)
    found = govern(read(flow(tasks=[{"id": "x", "type": kinds[0]}])), laws, catalog)
    made = {"id": "x", "type": kinds[0], "inner": {"type": kinds[1], "inner": {"type": kinds[0]}}}
    assert plain(found.document.root)["tasks"] == [made]
