"""Plugin defaults: who wins, what is merged, and what is judged."""

import json

import pytest

from casemate.documents import plain, read
from casemate.flows import parse, read_flow, to_json
from casemate.governance import Rulebook, configured, govern
from casemate.identifiers import MAIN

LOG = "io.kestra.plugin.core.log.Log"


def default(values, type_=LOG, *, forced=False):
    return {"type": type_, "values": values, "forced": forced}


def under(catalog, *entries):
    """The catalog of a server with these plugin defaults."""
    return catalog.with_rules(Rulebook(configured=configured("kestra.plugins.defaults", entries)))


def merged(catalog, task, *declared, configured=()):
    flow = {
        "id": "f",
        "namespace": "a.b",
        "tasks": [{"id": "t", "type": LOG, **task}],
        "pluginDefaults": list(declared),
    }
    laws = under(catalog, *configured).rules.laws(MAIN, "a.b")
    document = govern(read(json.dumps(flow)), laws, catalog).resolved
    return {key: value for key, value in plain(document.root)["tasks"][0].items() if key not in ("id", "type")}


OWN, DECLARED, CONFIGURED = ({"level": level} for level in ("TRACE", "WARN", "ERROR"))
WINNERS = {
    "the task's own value": (OWN, [default(DECLARED)], [default(CONFIGURED)], "TRACE"),
    "the flow's default": ({}, [default(DECLARED)], [default(CONFIGURED)], "WARN"),
    "the server's default": ({}, [], [default(CONFIGURED)], "ERROR"),
    "the server's forced one over the task's": (OWN, [], [default(CONFIGURED, forced=True)], "ERROR"),
    "the server's forced one": (OWN, [default(DECLARED, forced=True)], [default(CONFIGURED, forced=True)], "ERROR"),
    "the flow's forced one": (OWN, [default(DECLARED, forced=True)], [default(CONFIGURED)], "WARN"),
    "the one for the longer type": ({}, [default(DECLARED, "io.kestra"), default(CONFIGURED)], [], "ERROR"),
    "the first of two": ({}, [default(DECLARED), default(CONFIGURED)], [], "WARN"),
    "a default over null": ({"level": None}, [default(DECLARED)], [], "WARN"),
}


@pytest.mark.parametrize(("own", "declared", "configured", "level"), WINNERS.values(), ids=WINNERS)
def test_the_nearest_default_wins_unless_one_is_forced(catalog, own, declared, configured, level):
    assert merged(catalog, own, *declared, configured=configured)["level"] == level


def test_maps_are_merged_and_lists_are_joined(catalog):
    own = {"env": {"A": "1", "B": {"c": 1}}, "files": ["x"]}
    values = {"env": {"A": "2", "B": {"d": 2}}, "files": ["y"]}
    assert merged(catalog, own, default(values)) == {"env": {"A": "1", "B": {"c": 1, "d": 2}}, "files": ["y", "x"]}


@pytest.mark.parametrize("wanted", [LOG, "io.kestra.plugin.core.log.", "io.kestra", "io.kestra.core.tasks.log.Log"])
@pytest.mark.parametrize("written", [LOG, "io.kestra.core.tasks.log.Log"])
def test_a_default_finds_its_type_by_name_prefix_or_alias(catalog, wanted, written):
    assert merged(catalog, {"type": written}, default(DECLARED, wanted))["level"] == "WARN"


def test_a_default_for_another_type_changes_nothing(catalog):
    assert merged(catalog, {}, default(DECLARED, "io.kestra.plugin.core.debug.Return")) == {}


def test_objects_inside_others_get_their_defaults(catalog):
    task = {
        "id": "p",
        "type": "io.kestra.plugin.core.flow.Parallel",
        "tasks": [{"id": "l", "type": LOG, "message": "x"}],
    }
    flow = {"id": "f", "namespace": "a.b", "tasks": [task], "pluginDefaults": [default(DECLARED)]}
    parsed = parse(read(json.dumps(flow)), catalog, MAIN, complete=True)
    assert next(parsed.tasks[0].children()).properties["level"] == "WARN"
    assert parsed.document == flow


def test_a_forced_default_reaches_what_another_one_has_brought_in(catalog):
    runner = "io.kestra.plugin.core.runner.Process"
    brought = default({"taskRunner": {"type": runner}})
    forced = default({"own": 1}, runner, forced=True)
    assert merged(catalog, {}, brought, configured=[forced]) == {"taskRunner": {"type": runner, "own": 1}}


def test_a_flow_is_shown_as_it_is_written_and_run_as_it_is_completed(catalog):
    written = f"id: f\nnamespace: a.b\ntasks:\n  - {{id: t, type: {LOG}}}\n"
    completing = under(catalog, default({"message": "hello"}))
    shown, run = (read_flow(written, completing, MAIN, complete=complete) for complete in (False, True))
    assert "message" not in to_json(shown)["tasks"][0]
    assert run.tasks[0].properties["message"] == "hello"
    assert run.source == shown.source == written
    assert run.document == shown.document


def test_values_for_types_that_do_not_know_them_are_ignored(catalog):
    written = f"id: f\nnamespace: a.b\ntasks:\n  - {{id: t, type: {LOG}, message: x}}\n"
    run = read_flow(written, under(catalog, default({"retries": 3}, "io.kestra")), MAIN, complete=True)
    assert "retries" not in run.tasks[0].properties


def test_what_a_forced_default_replaces_may_be_wrong(catalog):
    written = f"id: f\nnamespace: a.b\ntasks:\n  - {{id: t, type: {LOG}, message: x, level: LOUD}}\n"
    forcing = under(catalog, default({"level": "WARN"}, forced=True))
    assert to_json(read_flow(written, forcing, MAIN))["tasks"][0]["level"] == "WARN"


def test_what_a_default_of_the_server_spoils_is_told_at_the_task(catalog):
    written = f"id: f\nnamespace: a.b\ntasks:\n  - {{id: t, type: {LOG}, message: x}}\n"
    (problem,) = read_flow(written, under(catalog, default({"level": "LOUD"}, forced=True)), MAIN)
    assert (problem.path, problem.line, problem.column) == ("tasks[0].level", 4, 5)
    assert problem.remedy == "a plugin default in the server's configuration makes it so"


def test_a_type_that_only_a_default_brings_in_and_nobody_knows_is_told_at_the_task(catalog):
    shell, batch = "io.kestra.plugin.scripts.shell.Commands", "io.kestra.plugin.ee.aws.runner.Batch"
    written = f"id: f\nnamespace: a.b\ntasks:\n  - {{id: t, type: {shell}, commands: [ls]}}\n"
    forced = {"type": shell, "forced": True, "values": {"taskRunner": {"type": batch}}}
    (problem,) = read_flow(written, under(catalog, forced), MAIN, complete=True)
    assert (problem.path, problem.message) == ("tasks[0].taskRunner", f"Invalid type: {batch}")
    assert problem.remedy == (
        "a plugin default in the server's configuration makes it so; "
        "the task runner is not there; this installation has io.kestra.plugin.core.runner.Process, "
        "io.kestra.plugin.scripts.runner.docker.Docker"
    )


def test_a_type_that_is_unknown_where_it_is_written_is_told_once(told):
    values = "{level: INFO}\nerrors:\n  - {id: e, type: a.B}"
    assert [line.partition(": ")[2] for line in told(text(", message: x", values))] == ["Invalid type: a.B"]


def text(task, values):
    tasks = f"tasks:\n  - {{id: t, type: {LOG}{task}}}\n"
    return f"id: f\nnamespace: a.b\n{tasks}pluginDefaults:\n  - type: {LOG}\n    values: {values}\n"


def test_a_default_may_give_what_a_task_needs(told):
    assert told(text("", "{message: hello}")) == []
    assert len(told(text("", "{level: INFO}"))) == 1


def test_a_default_that_spoils_a_task_is_told_where_it_is_written(told):
    (problem,) = told(text(", message: x", "{level: LOUD}"))
    assert problem.startswith("7:21 tasks[0].level: ")


def test_unknown_names_are_judged_as_they_are_written(told):
    (problem,) = told(text(", mesage: x", "{message: hello}"))
    assert "Unrecognized field" in problem


def test_defaults_that_would_fill_the_memory_are_refused(told):
    tasks = [{"id": f"t{number}", "type": LOG, "message": "x"} for number in range(1_000)]
    values = {f"p{number}": 1 for number in range(1_000)}
    flow = {"id": "f", "namespace": "a.b", "tasks": tasks, "pluginDefaults": [{"type": "io.", "values": values}]}
    (problem,) = told(json.dumps(flow))
    assert "the plugin defaults add more than" in problem


def test_defaults_that_would_fill_the_memory_by_way_of_others_are_refused(told):
    runners = [{"type": "io.kestra.plugin.core.runner.Process"} for _ in range(1_000)]
    values = {f"p{number}": 1 for number in range(1_000)}
    defaults = [default({"files": runners}), default(values, "io.kestra.plugin.core.runner", forced=True)]
    tasks = [{"id": f"t{number}", "type": LOG, "message": "x"} for number in range(10)]
    found = told(json.dumps({"id": "f", "namespace": "a.b", "tasks": tasks, "pluginDefaults": defaults}))
    assert any("the plugin defaults add more than" in problem for problem in found)
