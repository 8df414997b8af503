"""Ways to name a type that the installation refuses, each of which ends in the same refusal."""

from __future__ import annotations

import pytest

from casemate.catalog import Allowed, Holds
from casemate.documents import Mark, node_of
from casemate.flows import (
    Flow,
    flow_json_schema,
    held_json_schema,
    meant_type,
    read_flow,
    read_template,
    type_json_schema,
    violations,
)
from casemate.governance import Placed, Rulebook, Scope, configured, read_policy
from casemate.identifiers import MAIN

CORE = "io.kestra.plugin.core"
ECHO = f"{CORE}.debug.Echo"
OLD_ECHO = "io.kestra.core.tasks.debugs.Echo"
PROCESS = f"{CORE}.runner.Process"
SHELL = "io.kestra.plugin.scripts.shell.Commands"
LOG = f"{CORE}.log.Log"


def refusal(name: str) -> list[str]:
    return [f"Invalid type: {name}", f"Plugin '{name}' is not allowed by 'kestra.plugins.security'."]


@pytest.fixture
def messages(catalog):
    """What is said of a flow with this body where these types are excluded."""

    def said(body: str, *excluded: str, defaults=()) -> list[str]:
        types = catalog.restricted_to(Allowed(excludes=excluded)).with_rules(
            Rulebook(configured=configured("kestra.plugins.defaults", defaults))
        )
        flow = read_flow(f"id: a\nnamespace: b\n{body}", types, MAIN)
        return [] if isinstance(flow, Flow) else [problem.message for problem in flow]

    return said


def test_a_refused_task_type(messages):
    body = f"tasks: [{{id: t, type: {ECHO}, format: hi}}]"
    assert messages(body) == []
    assert messages(body, ECHO) == refusal(ECHO)


def test_an_alias_is_no_way_around(messages):
    assert messages(f"tasks: [{{id: t, type: {OLD_ECHO}, format: hi}}]", ECHO) == refusal(OLD_ECHO)


def test_excluding_an_older_name_reaches_the_newer_one(messages):
    assert messages(f"tasks: [{{id: t, type: {ECHO}, format: hi}}]", OLD_ECHO) == refusal(ECHO)


NESTED = {
    "Sequential": f"tasks: [{{id: s, type: {CORE}.flow.Sequential, tasks: [TASK]}}]",
    "If": f"tasks: [{{id: i, type: {CORE}.flow.If, condition: 'true', then: [OTHER], else: [TASK]}}]",
    "Switch": f"tasks: [{{id: s, type: {CORE}.flow.Switch, value: a, cases: {{a: [TASK]}}}}]",
    "Dag": f"tasks: [{{id: d, type: {CORE}.flow.Dag, tasks: [{{task: TASK}}]}}]",
    "WorkingDirectory": f"tasks: [{{id: w, type: {CORE}.flow.WorkingDirectory, tasks: [TASK]}}]",
    "errors of a task": f"tasks: [{{id: s, type: {CORE}.flow.Sequential, tasks: [OTHER], errors: [TASK]}}]",
    "errors": "tasks: [OTHER]\nerrors: [TASK]",
    "finally": "tasks: [OTHER]\nfinally: [TASK]",
    "afterExecution": "tasks: [OTHER]\nafterExecution: [TASK]",
    "listeners": "tasks: [OTHER]\nlisteners: [{tasks: [TASK]}]",
}


@pytest.mark.parametrize("place", NESTED)
def test_a_nested_task_is_refused_wherever_it_stands(messages, place):
    task, other = f"{{id: t, type: {OLD_ECHO}, format: hi}}", f"{{id: o, type: {LOG}, message: hi}}"
    body = NESTED[place].replace("TASK", task).replace("OTHER", other)
    assert messages(body) == []
    assert messages(body, ECHO) == refusal(OLD_ECHO)


TASKS = f"tasks: [{{id: o, type: {LOG}, message: hi}}]\n"


def test_a_trigger_type_is_refused(messages):
    name = f"{CORE}.trigger.Schedule"
    body = f"{TASKS}triggers: [{{id: t, type: {name}, cron: '* * * * *'}}]"
    assert messages(body, name) == refusal(name)


def test_a_condition_within_a_trigger_is_refused(messages):
    name, written = f"{CORE}.condition.Weekend", "io.kestra.core.models.conditions.types.WeekendCondition"
    trigger = f"{{id: t, type: {CORE}.trigger.Schedule, cron: '* * * * *', conditions: [{{type: {written}}}]}}"
    assert messages(f"{TASKS}triggers: [{trigger}]") == []
    assert messages(f"{TASKS}triggers: [{trigger}]", name) == refusal(written)


def test_a_condition_within_a_condition_is_refused(messages):
    inner = f"{{type: {CORE}.condition.Not, conditions: [{{type: {CORE}.condition.Weekend}}]}}"
    body = f"{TASKS}triggers: [{{id: t, type: {CORE}.trigger.Schedule, cron: '* * * * *', conditions: [{inner}]}}]"
    assert messages(body) == []
    assert messages(body, f"{CORE}.condition.Weekend") == refusal(f"{CORE}.condition.Weekend")


def test_a_runner_type_inside_a_task_runner_is_refused(messages):
    body = f"tasks: [{{id: t, type: {SHELL}, commands: [ls], taskRunner: {{type: {PROCESS}}}}}]"
    assert messages(body) == []
    assert messages(body, PROCESS) == refusal(PROCESS)


def test_the_runner_that_nobody_names_is_refused(messages):
    assert messages(f"tasks: [{{id: t, type: {SHELL}, commands: [ls]}}]", PROCESS) == refusal(PROCESS)[1:]


def test_the_runner_of_the_older_property_is_refused(messages):
    body = f"tasks: [{{id: t, type: {SHELL}, commands: [ls], runner: PROCESS}}]"
    assert messages(body, PROCESS) == refusal(PROCESS)[1:]


def test_a_templated_type_is_no_type(messages):
    [message, *_] = messages("tasks: [{id: t, type: \"{{ 'io.kestra' }}.plugin.core.debug.Echo\"}]", ECHO)
    assert message.startswith("Invalid type: {{")


@pytest.mark.parametrize("forced", [False, True])
def test_a_default_of_the_flow_that_injects_a_type_is_refused(messages, forced):
    default = f"{{type: {SHELL}, forced: {str(forced).lower()}, values: {{taskRunner: {{type: {PROCESS}}}}}}}"
    body = f"tasks: [{{id: t, type: {SHELL}, commands: [ls]}}]\npluginDefaults: [{default}]"
    assert messages(body, PROCESS) == refusal(PROCESS)


@pytest.mark.parametrize("forced", [False, True])
def test_a_default_of_the_server_that_injects_a_type_is_refused(messages, forced):
    default = {"type": SHELL, "forced": forced, "values": {"taskRunner": {"type": PROCESS}}}
    body = f"tasks: [{{id: t, type: {SHELL}, commands: [ls]}}]"
    assert messages(body, PROCESS, defaults=[default]) == refusal(PROCESS)


def test_a_template_with_a_refused_type_is_refused(catalog):
    types = catalog.restricted_to(Allowed(excludes=(ECHO,)))
    read = read_template(f"id: a\nnamespace: b\ntasks: [{{id: t, type: {OLD_ECHO}, format: x}}]", types, MAIN)
    assert [problem.message for problem in read] == refusal(OLD_ECHO)


def test_clients_get_both_messages_at_one_place(catalog):
    types = catalog.restricted_to(Allowed(excludes=(ECHO,)))
    problems = read_flow(f"id: a\nnamespace: b\ntasks:\n  - {{id: t, type: {ECHO}}}\n  - 1", types, MAIN)
    told = violations(problems)
    assert [problem.message for problem in told] == refusal(ECHO)
    assert len({(problem.path, problem.line, problem.column) for problem in told}) == 1
    assert told[0].line == 4


def test_schemas_and_suggestions_know_nothing_of_it(catalog):
    types = catalog.restricted_to(Allowed(excludes=(ECHO,)))
    for schema in (flow_json_schema(types), held_json_schema(Holds.TASK, types)):
        assert "debug.Echo" not in str(schema)
        assert "debugs.Echo" not in str(schema)
    assert type_json_schema(Holds.TASK, OLD_ECHO, types) is None
    assert meant_type(f"{CORE}.debug.Ech", types) != ECHO


def test_a_misspelt_type_is_not_led_to_a_refused_one(catalog):
    types = catalog.restricted_to(Allowed(excludes=(ECHO,)))
    problems = read_flow(f"id: a\nnamespace: b\ntasks: [{{id: t, type: {CORE}.debug.Ecko}}]", types, MAIN)
    assert [(one.message, one.remedy) for one in problems] == [(f"Invalid type: {CORE}.debug.Ecko", "")]


@pytest.mark.parametrize("override", [False, True])
def test_a_policy_that_injects_a_type_is_refused(catalog, override):
    where = [{"field": "type", "operator": "EQUAL_TO", "value": SHELL}]
    add = {"type": "io.kestra.plugin.ee.rules.Add", "on": "PLUGIN", "where": where}
    rule = {**add, "values": {"taskRunner": {"type": PROCESS}}, "override": override}
    policy = read_policy(node_of({"id": "p", "rules": [rule]}, Mark(1, 1)))
    assert not isinstance(policy, tuple), policy
    rules = Rulebook(placed=(Placed(policy=policy, scope=Scope.STATIC),))
    text = f"id: a\nnamespace: b\ntasks: [{{id: t, type: {SHELL}, commands: [ls]}}]"
    assert isinstance(read_flow(text, catalog.with_rules(rules), MAIN), Flow)
    refused = read_flow(text, catalog.with_rules(rules).restricted_to(Allowed(excludes=(PROCESS,))), MAIN)
    assert [one.message for one in refused] == refusal(PROCESS)
