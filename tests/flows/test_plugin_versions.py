"""Which version of a plugin a flow means: by its own word, a default, or the server; and by none that is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.plugins.wheels import TYPE, greeting

from casemate.catalog import Catalog, Plugins
from casemate.core import catalog
from casemate.documents import read
from casemate.flows import Flow, read_flow, read_template, task_to_json, warnings
from casemate.governance import Rulebook, configured
from casemate.identifiers import MAIN
from casemate.plugins.wheel import read_wheel

NEWEST = datetime(2026, 1, 1, tzinfo=UTC)


def types_of(*versions: str, default: str = "LATEST", defaults=()) -> Catalog:
    """The core types with these versions of the example, of which the first was installed last."""
    types = catalog().with_rules(Rulebook(configured=configured("kestra.plugins.defaults", defaults)))
    read = [read_wheel(greeting(each, source="2.0.0" if each >= "2" else "1.0.0")) for each in versions]
    dated = (each.installed_at(NEWEST - timedelta(days=number)) for number, each in enumerate(read))
    types.hold(Plugins(dated, default))
    return types


def told(types: Catalog, task: str, *further: str) -> list[str]:
    flow = read_flow("\n".join(("id: a", "namespace: b", f"tasks: [{{id: t, {task}}}]", *further)), types, MAIN)
    return [] if isinstance(flow, Flow) else [f"{one.path}: {one.message} ({one.remedy})" for one in flow]


def version_of(types: Catalog, task: str, *further: str) -> str | None:
    flow = read_flow("\n".join(("id: a", "namespace: b", f"tasks: [{{id: t, {task}}}]", *further)), types, MAIN)
    assert isinstance(flow, Flow), flow
    return flow.tasks[0].version


OLD, NEW = f"type: {TYPE}, name: Ann", f"type: {TYPE}, who: Ann"


@pytest.mark.parametrize(
    ("wish", "task", "meant"),
    [
        ("", NEW, "2.0.0"),
        ("version: LATEST", NEW, "2.0.0"),
        ("version: latest", NEW, "2.0.0"),
        ("version: OLDEST", OLD, "1.0.0"),
        ("version: '1.0'", OLD, "1.0.5"),
        ("version: 1.0", OLD, "1.0.5"),
        ("version: 1", OLD, "1.2.0"),
        ("version: 1.0.0", OLD, "1.0.0"),
        ("version: 2.0.0", NEW, "2.0.0"),
    ],
)
def test_a_task_says_which_version_it_means(wish: str, task: str, meant: str):
    assert version_of(types_of("1.0.0", "1.0.5", "1.2.0", "2.0.0"), f"{task}, {wish}" if wish else task) == meant


@pytest.mark.parametrize(
    ("default", "task", "meant"),
    [
        ("LATEST", NEW, "2.0.0"),
        ("OLDEST", OLD, "1.0.0"),
        ("CURRENT", OLD, "1.2.0"),
        ("1.0.0", OLD, "1.0.0"),
        ("1", OLD, "1.2.0"),
    ],
)
def test_the_server_says_which_version_is_meant_where_none_is_named(default: str, task: str, meant: str):
    assert version_of(types_of("1.2.0", "1.0.0", "2.0.0", default=default), task) == meant


def test_a_version_must_be_named_where_the_server_wants_it():
    types = types_of("1.0.0", "2.0.0", default="NONE")
    assert told(types, NEW) == [
        f"tasks[0].version: A version of '{TYPE}' must be given "
        "(kestra.plugins.management.default-version is NONE; installed are 1.0.0, 2.0.0)"
    ]
    assert version_of(types, f"{NEW}, version: LATEST") == "2.0.0"


@pytest.mark.parametrize("alias", [TYPE, "com.example.Greet"])
def test_a_version_that_is_not_installed_is_a_problem_at_its_place(alias: str):
    flow = f"id: a\nnamespace: b\ntasks:\n  - id: t\n    type: {alias}\n    version: 3.0.0\n    who: Ann\n"
    [problem] = read_flow(flow, types_of("1.0.0", "2.0.0"), MAIN)
    assert problem.message == f"No version '3.0.0' of '{TYPE}' is installed"
    assert (problem.line, problem.path, problem.remedy) == (6, "tasks[0].version", "installed are 1.0.0, 2.0.0")


@pytest.mark.parametrize("wish", ["one", "1.x", "'>=1'", "NONE", "CURRENT", "'{{ inputs.v }}'", "../2.0.0"])
def test_what_is_no_version_is_told(wish: str):
    [problem] = told(types_of("1.0.0"), f"{OLD}, version: {wish}")
    assert "Invalid version" in problem


def test_the_properties_are_those_of_the_version():
    types = types_of("1.0.0", "2.0.0")
    [problem] = told(types, f"{OLD}, version: 1.0.0, language: fr")
    assert 'Unrecognized field "language"' in problem
    assert 'Unrecognized field "name"' in "".join(told(types, OLD))


@pytest.mark.parametrize("forced", [False, True])
def test_a_default_of_the_flow_names_the_version(forced: bool):
    default = f"pluginDefaults: [{{type: {TYPE}, forced: {str(forced).lower()}, values: {{version: 1.0.0}}}}]"
    types = types_of("1.0.0", "2.0.0")
    assert version_of(types, OLD, default) == "1.0.0"
    assert 'Unrecognized field "who"' in "".join(told(types, NEW, default))


def test_a_default_of_the_server_names_the_version_and_the_task_goes_before_it():
    default = {"type": "com.example", "values": {"version": "1.0.0"}}
    types = types_of("1.0.0", "2.0.0", default="NONE", defaults=[default])
    assert version_of(types, OLD) == "1.0.0"
    assert version_of(types, f"{NEW}, version: 2.0.0") == "2.0.0"


def test_a_default_may_give_what_one_version_has():
    default = f"pluginDefaults: [{{type: {TYPE}, values: {{version: 1.0.0, name: Ann}}}}]"
    assert version_of(types_of("1.0.0", "2.0.0"), f"type: {TYPE}", default) == "1.0.0"
    unknown = f"pluginDefaults: [{{type: {TYPE}, values: {{nmae: Ann}}}}]"
    assert "No property 'nmae' exists in plugin" in "".join(told(types_of("1.0.0", "2.0.0"), NEW, unknown))


def test_a_forced_version_is_not_escaped():
    default = {"type": TYPE, "forced": True, "values": {"version": "1.0.0"}}
    types = types_of("1.0.0", "2.0.0", defaults=[default])
    assert version_of(types, f"{OLD}, version: 2.0.0") == "1.0.0"


def test_nested_tasks_and_templates_have_their_versions():
    types = types_of("1.0.0", "2.0.0")
    nested = f"type: io.kestra.plugin.core.flow.Sequential, tasks: [{{id: n, {OLD}, version: '1'}}]"
    flow = read_flow(f"id: a\nnamespace: b\ntasks: [{{id: t, {nested}}}]", types, MAIN)
    assert [each.version for each in flow.all_tasks()] == [None, "1.0.0"]
    template = read_template(f"id: a\nnamespace: b\ntasks: [{{id: t, {OLD}, version: '1'}}]", types, MAIN)
    assert template.tasks[0].version == "1.0.0"


def test_a_version_of_a_type_of_the_server_is_accepted_and_said_to_have_no_effect():
    shell = "type: io.kestra.plugin.scripts.shell.Commands, commands: ['true']"
    text = f"id: a\nnamespace: b\ntasks: [{{id: t, {shell}, version: '1.9'}}]"
    types = types_of("1.0.0")
    flow = read_flow(text, types, MAIN)
    assert flow.tasks[0].version is None
    assert any("comes with the server" in one for one in warnings(flow, read(text), types).warnings)


def test_a_version_of_a_plugin_has_an_effect_and_no_warning():
    types = types_of("1.0.0")
    text = f"id: a\nnamespace: b\ntasks: [{{id: t, {OLD}, version: '1'}}]"
    assert warnings(read_flow(text, types, MAIN), read(text), types).warnings == ()


def test_without_the_plugin_its_type_is_unknown():
    types = types_of("1.0.0")
    types.hold(Plugins(()))
    assert "Invalid type" in told(types, OLD)[0]


def test_plugins_that_come_and_go_are_heard_of_at_once():
    types = types_of("1.0.0")
    assert version_of(types, OLD) == "1.0.0"
    types.hold(Plugins([read_wheel(greeting("1.0.0")), read_wheel(greeting("2.0.0"))]))
    assert version_of(types, NEW) == "2.0.0"


def test_the_version_that_is_meant_is_shown():
    flow = read_flow(f"id: a\nnamespace: b\ntasks: [{{id: t, {OLD}, version: '1'}}]", types_of("1.0.0", "2.0.0"), MAIN)
    assert task_to_json(flow.tasks[0]) == {"id": "t", "type": TYPE, "version": "1.0.0", "name": "Ann"}
