"""Each rule, condition and mode of policies against every case that the documentation distinguishes."""

import pytest

from casemate.documents import plain
from casemate.governance import Scope

LOG = "io.kestra.plugin.core.log.Log"
SHELL = "io.kestra.plugin.scripts.shell.Commands"
PROCESS = "io.kestra.plugin.core.runner.Process"
ON_LOG = [{"field": "type", "operator": "EQUAL_TO", "value": LOG}]


def add(values, *, override=False, on="PLUGIN", where=ON_LOG):
    conditions = {} if on == "FLOW" else {"where": where}
    return {"type": "Add", "on": on, "values": values, "override": override, **conditions}


def said(outcome):
    return [violation.said() for violation in outcome.violations]


ADDED = {
    "what is missing": ({}, False, {"level": "WARN"}),
    "nothing over what is there": ({"level": "INFO"}, False, {"level": "INFO"}),
    "over what is there, if it overrides": ({"level": "INFO"}, True, {"level": "WARN"}),
    "over a null": ({"level": None}, False, {"level": "WARN"}),
}


@pytest.mark.parametrize(("own", "override", "expected"), ADDED.values(), ids=ADDED)
def test_add_gives(policy_of, governed, task, own, override, expected):
    outcome = governed({"type": LOG, **own}, policy_of(add({"level": "WARN"}, override=override)))
    assert task(outcome) == expected


def test_maps_are_merged_and_the_lists_of_policies_replace_each_other(policy_of, governed, task):
    own = {"type": SHELL, "env": {"A": "1", "B": "2"}, "outputFiles": ["own"]}
    where = [{"field": "type", "operator": "EQUAL_TO", "value": SHELL}]
    values = {"env": {"B": "x", "C": "y"}, "outputFiles": ["theirs"]}
    gentle = governed(own, policy_of(add(values, where=where)))
    assert task(gentle) == {"env": {"A": "1", "B": "2", "C": "y"}, "outputFiles": ["own"]}
    firm = governed(own, policy_of(add(values, where=where, override=True)))
    assert task(firm) == {"env": {"A": "1", "B": "x", "C": "y"}, "outputFiles": ["theirs"]}


def test_a_null_that_overrides_removes(policy_of, governed, task):
    outcome = governed({"type": LOG, "level": "INFO"}, policy_of(add({"level": None}, override=True)))
    assert task(outcome) == {}
    assert [(each.action, each.previous) for each in outcome.mutations] == [("REMOVED", "INFO")]


def test_an_override_of_another_type_takes_nothing_over_from_the_first(policy_of, governed, task):
    own = {"type": SHELL, "taskRunner": {"type": PROCESS, "privileged": True}}
    where = [{"field": "type", "operator": "STARTS_WITH", "value": "io.kestra.plugin.scripts"}]
    outcome = governed(own, policy_of(add({"taskRunner": {"type": "a.Other"}}, where=where, override=True)))
    assert task(outcome) == {"taskRunner": {"type": "a.Other"}}


@pytest.mark.parametrize(("override", "winner"), [(False, "INFO"), (True, "ERROR")])
def test_the_innermost_scope_fills_and_the_outermost_overrides(policy_of, governed, task, override, winner):
    levels = {
        "ERROR": (Scope.STATIC, None),
        "WARN": (Scope.NAMESPACE, "company"),
        "INFO": (Scope.NAMESPACE, "company.team"),
    }
    policies = [
        policy_of(add({"level": level}, override=override), id_=level.lower(), scope=scope, namespace=namespace)
        for level, (scope, namespace) in levels.items()
    ]
    assert task(governed({"type": LOG}, *policies)) == {"level": winner}
    assert task(governed({"type": LOG}, *reversed(policies))) == {"level": winner}


def test_delete_beats_the_author(policy_of, governed, task):
    rule = {"type": "Delete", "on": "PLUGIN", "properties": ["level", "env.A"]}
    own = {"type": LOG, "level": "INFO", "env": {"A": "1", "B": "2"}}
    assert task(governed(own, policy_of(rule))) == {"env": {"B": "2"}}


def test_adding_and_deleting_the_same_is_a_conflict(policy_of, governed):
    delete = {"type": "Delete", "on": "PLUGIN", "properties": ["level"]}
    outcome = governed({"type": LOG}, policy_of(add({"level": "WARN"})), policy_of(delete, id_="q"))
    (conflict,) = outcome.conflicts
    assert (conflict.add.policy, conflict.delete.policy, conflict.path) == ("p", "q", ("tasks", 0, "level"))
    (problem,) = outcome.problems("Flow 'a.b'")
    assert problem.message == (
        "Unable to apply plugin defaults: policy 'p' (STATIC), rule 1 (Add) adds tasks[0].level, "
        "which policy 'q' (STATIC), rule 1 (Delete) deletes"
    )


def test_rules_for_flows_look_at_the_flow(policy_of, governed):
    flow = {"tasks": [{"id": "t", "type": LOG}], "labels": [{"key": "team", "value": "a"}], "description": "x"}
    labelled = policy_of(
        add({"labels": {"cost": "b"}}, on="FLOW"), {"type": "Delete", "on": "FLOW", "properties": ["description"]}
    )
    root = plain(governed(flow, labelled).resolved.root)
    assert root["labels"] == {"team": "a", "cost": "b"}
    assert "description" not in root
    assert "labels" not in root["tasks"][0]


DENIED = {
    "its own name": {"field": "type", "operator": "EQUAL_TO", "value": LOG},
    "an alias": {"field": "type", "operator": "EQUAL_TO", "value": "io.kestra.core.tasks.log.Log"},
    "one of several": {"field": "type", "operator": "IN", "value": ["a.B", LOG]},
    "a beginning": {"field": "type", "operator": "STARTS_WITH", "value": "io.kestra.plugin.core.log"},
    "the beginning of an alias": {"field": "type", "operator": "STARTS_WITH", "value": "io.kestra.core.tasks.log"},
    "an end": {"field": "type", "operator": "ENDS_WITH", "value": ".Log"},
    "a part": {"field": "type", "operator": "CONTAINS", "value": "core.log"},
    "a pattern for the whole of it": {"field": "type", "operator": "REGEX", "value": r".*\.log\..*"},
    "not another": {"field": "type", "operator": "NOT_EQUAL_TO", "value": "a.B"},
    "none of others": {"field": "type", "operator": "NOT_IN", "value": ["a.B"]},
    "something missing": {"field": "level", "operator": "IS_NULL"},
    "something there": {"field": "message", "operator": "IS_NOT_NULL"},
    "what its manifest says": {"field": "manifest.kind", "operator": "EQUAL_TO", "value": "task"},
}
ALLOWED = {
    "another name": {"field": "type", "operator": "EQUAL_TO", "value": "a.B"},
    "a part of a pattern": {"field": "type", "operator": "REGEX", "value": "io.kestra"},
    "not its own name": {"field": "type", "operator": "NOT_EQUAL_TO", "value": LOG},
    "not its alias": {"field": "type", "operator": "NOT_IN", "value": ["io.kestra.core.tasks.log.Log"]},
    "something missing that is there": {"field": "message", "operator": "IS_NULL"},
    "something there that is missing": {"field": "level", "operator": "IS_NOT_NULL"},
    "a capability it has not": {"field": "manifest.capabilities", "operator": "CONTAINS", "value": "runs-code"},
}


@pytest.mark.parametrize("written", [LOG, "io.kestra.core.tasks.log.Log"])
@pytest.mark.parametrize(
    ("where", "denied"),
    [*((where, True) for where in DENIED.values()), *((where, False) for where in ALLOWED.values())],
    ids=[*DENIED, *ALLOWED],
)
def test_deny_means_by(policy_of, governed, written, where, denied):
    rule = {"type": "Deny", "on": "PLUGIN", "where": [where], "errorMessage": "Ask the platform team."}
    outcome = governed({"type": written, "message": "x"}, policy_of(rule))
    assert bool(outcome.violations) is denied
    if denied:
        assert said(outcome) == [
            f"Policy 'p' (STATIC), rule 1 (Deny): 't' of type '{written}' is not allowed. Ask the platform team."
        ]


def test_conditions_must_all_hold(policy_of, governed):
    both = [{"field": "type", "operator": "EQUAL_TO", "value": LOG}, {"field": "level", "operator": "IS_NULL"}]
    rule = {"type": "Deny", "on": "PLUGIN", "where": both}
    assert governed({"type": LOG}, policy_of(rule)).violations
    assert not governed({"type": LOG, "level": "INFO"}, policy_of(rule)).violations


DEEP = {
    "a task in another": {
        "tasks": [{"id": "p", "type": "io.kestra.plugin.core.flow.Parallel", "tasks": [{"id": "x", "type": LOG}]}]
    },
    "a handler of errors": {"tasks": [{"id": "a", "type": "a.B"}], "errors": [{"id": "x", "type": LOG}]},
    "a case of a switch": {
        "tasks": [
            {
                "id": "s",
                "type": "io.kestra.plugin.core.flow.Switch",
                "value": "a",
                "cases": {"a": [{"id": "x", "type": LOG}]},
            }
        ]
    },
    "a task of a listener": {
        "tasks": [{"id": "a", "type": "a.B"}],
        "listeners": [{"tasks": [{"id": "x", "type": LOG}]}],
    },
}


@pytest.mark.parametrize("flow", DEEP.values(), ids=DEEP)
def test_a_rule_reaches(policy_of, governed, flow):
    (violation,) = governed(flow, policy_of({"type": "Deny", "on": "PLUGIN", "where": ON_LOG})).violations
    assert violation.task == "x"


def test_a_runner_that_nobody_wrote_down_is_judged(policy_of, governed):
    where = [{"field": "type", "operator": "EQUAL_TO", "value": PROCESS}]
    rule = policy_of({"type": "Deny", "on": "PLUGIN", "where": where})
    for own in ({}, {"taskRunner": {"type": PROCESS}}, {"runner": "PROCESS"}, {"taskRunner": None}):
        (violation,) = governed({"type": SHELL, "commands": ["ls"], **own}, rule).violations
        assert violation.path == ("tasks", 0, "taskRunner", "type"), own


RESTRICTED = {
    "at least": ({"min": 3}, 3, 2),
    "at most": ({"max": 3}, 3, 4),
    "at most, written as text": ({"max": 3}, "3", "4"),
    "a duration": ({"max": "PT1H"}, "PT59M", "PT61M"),
    "one of": ({"enum": ["a", "b"]}, "b", "c"),
    "only some of": ({"enum": ["a", "b"]}, ["a", "b"], ["a", "c"]),
    "a pattern": ({"regex": "reg/.*"}, "reg/x", "other/reg/x"),
    "equal": ({"equals": False}, False, True),
    "equal, written as text": ({"equals": False}, "false", "true"),
    "equal, and no template": ({"equals": False}, False, "{{ inputs.open }}"),
    "no more, and no template": ({"max": 3}, 1, "{{ 2 }}"),
}


@pytest.mark.parametrize(("limit", "good", "bad"), RESTRICTED.values(), ids=RESTRICTED)
def test_restrict_allows(policy_of, governed, limit, good, bad):
    rule = policy_of({"type": "Restrict", "on": "PLUGIN", "property": "x.y", **limit})
    assert not governed({"type": LOG}, rule).violations
    assert not governed({"type": LOG, "x": {"y": good}}, rule).violations
    assert governed({"type": LOG, "x": {"y": bad}}, rule).violations


@pytest.mark.parametrize("value", ["", "  ", [], {}, None])
def test_a_blank_value_does_not_satisfy(policy_of, governed, value):
    rule = policy_of({"type": "Require", "on": "PLUGIN", "properties": ["x"]})
    assert said(governed({"type": LOG, "x": value}, rule)) == ["Policy 'p' (STATIC), rule 1 (Require): 't' needs x."]


@pytest.mark.parametrize("value", [0, False, "a", [0], {"a": None}])
def test_zero_and_false_satisfy(policy_of, governed, value):
    assert not governed(
        {"type": LOG, "x": value}, policy_of({"type": "Require", "on": "PLUGIN", "properties": ["x"]})
    ).violations


@pytest.mark.parametrize("labels", [{"team": "a"}, [{"key": "team", "value": "a"}]])
def test_labels_are_found_however_they_are_written(policy_of, governed, labels):
    rule = policy_of({"type": "Require", "on": "FLOW", "properties": ["labels.team"]})
    flow = {"tasks": [{"id": "t", "type": LOG}]}
    assert said(governed(flow, rule)) == ["Policy 'p' (STATIC), rule 1 (Require): the flow needs labels.team."]
    assert not governed({**flow, "labels": labels}, rule).violations


def test_rules_judge_what_the_others_have_made(policy_of, governed):
    require = {"type": "Require", "on": "PLUGIN", "properties": ["level"]}
    assert not governed({"type": LOG}, policy_of(require, add({"level": "WARN"}))).violations


def test_a_child_can_only_be_stricter(policy_of, governed):
    def restrict(most, action="block"):
        return {"type": "Restrict", "on": "PLUGIN", "property": "x", "max": most, "action": action}

    policies = [
        policy_of(restrict(5), id_="outer"),
        policy_of(restrict(9, "warn"), id_="inner", scope=Scope.NAMESPACE, namespace="company"),
    ]
    seven = governed({"type": LOG, "x": 7}, *policies)
    assert [(each.law.policy, each.blocks) for each in seven.violations] == [("outer", True)]
    ten = governed({"type": LOG, "x": 10}, *policies)
    assert [(each.law.policy, each.blocks) for each in ten.violations] == [("outer", True), ("inner", False)]


@pytest.mark.parametrize(
    ("enforcement", "added", "problems", "warnings"),
    [
        ("ACTIVE", True, 1, 0),
        ("active", True, 1, 0),
        ("EVALUATE", False, 0, 1),
        ("DISABLED", False, 0, 0),
        ("REFERENCE", False, 0, 0),
    ],
)
def test_enforcement_decides(policy_of, governed, task, enforcement, added, problems, warnings):
    require = {"type": "Require", "on": "PLUGIN", "properties": ["x"]}
    outcome = governed({"type": LOG}, policy_of(require, add({"level": "WARN"}), enforcement=enforcement))
    assert ("level" in task(outcome)) is added
    assert (len(list(outcome.problems("f"))), len(list(outcome.warnings()))) == (problems, warnings)


def test_a_policy_is_applied_where_it_is_referred_to_and_in_all_that_is_inside(policy_of, governed):
    rule = policy_of(add({"level": "WARN"}), enforcement="REFERENCE", id_="quiet")
    log = {"id": "x", "type": LOG}
    nested = {"id": "p", "type": "io.kestra.plugin.core.flow.Parallel", "policyRefs": ["quiet"], "tasks": [log]}
    outcome = governed({"tasks": [nested, {**log, "id": "y"}]}, rule)
    first, second = plain(outcome.resolved.root)["tasks"]
    assert first["tasks"][0]["level"] == "WARN"
    assert "level" not in second
    whole = plain(governed({"tasks": [log], "policyRefs": ["quiet"]}, rule).resolved.root)
    assert whole["tasks"][0]["level"] == "WARN"


@pytest.mark.parametrize("enforcement", ["ACTIVE", "DISABLED"])
def test_a_reference_to_nothing_is_refused(policy_of, governed, enforcement):
    policies = [policy_of(add({"level": "WARN"}), enforcement=enforcement, id_="known")]
    for name in ("known", "missing"):
        (problem,) = governed({"type": LOG, "policyRefs": [name]}, *policies).problems("f")
        assert (problem.path, problem.message) == ("tasks[0].policyRefs", f"no policy '{name}' can be referred to here")


@pytest.mark.parametrize(
    ("namespace", "reached"), [("company", True), ("company.team", True), ("companyx", False), ("other", False)]
)
def test_a_namespace_is_reached_with_all_below_it(policy_of, governed, task, namespace, reached):
    rule = policy_of(add({"level": "WARN"}), scope=Scope.NAMESPACE, namespace="company")
    assert bool(task(governed({"type": LOG}, rule, namespace=namespace))) is reached
    aimed = policy_of(add({"level": "WARN"}), target={"namespaces": ["company"]})
    assert bool(task(governed({"type": LOG}, aimed, namespace=namespace))) is reached


@pytest.mark.parametrize(("tenants", "reached"), [(["main"], True), (["other"], False)])
def test_a_policy_may_be_for_some_tenants(policy_of, governed, task, tenants, reached):
    rule = policy_of(add({"level": "WARN"}), target={"tenants": tenants})
    assert bool(task(governed({"type": LOG}, rule))) is reached
