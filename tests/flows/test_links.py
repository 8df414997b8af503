import pytest

from casemate.flows import Link, around, links

ME = ("company", "me")
OTHERS = [("company", "a"), ("company.team", "b"), ("other", "c")]


@pytest.fixture
def linked(flow_of):
    """Which flows start which, given what the flow `me` says beside its name."""

    def found(text):
        flow = flow_of(f"id: me\nnamespace: company\n{text}")
        return [(one.source, one.target, one.kind) for one in links([flow], [ME, *OTHERS])]

    return found


LOG = "tasks: [{id: t, type: io.kestra.plugin.core.log.Log, message: hi}]"


@pytest.fixture
def watching(linked):
    """The ids of the flows that start a flow with a trigger of these properties."""

    def sources(text):
        trigger = f"{{id: w, type: io.kestra.plugin.core.trigger.Flow, {text}}}"
        return [source[1] for source, _, kind in linked(f"{LOG}\ntriggers: [{trigger}]") if kind == "FLOW_TRIGGER"]

    return sources


def test_a_task_starts_the_flow_that_it_names(linked):
    call = "{id: t, type: io.kestra.plugin.core.flow.Subflow, namespace: other, flowId: c}"
    each = "{id: u, type: io.kestra.plugin.core.flow.ForEachItem, items: x, namespace: company, flowId: a}"
    assert linked(f"tasks: [{call}, {each}]") == [
        (ME, ("other", "c"), "FLOW_TASK"),
        (ME, ("company", "a"), "FLOW_TASK"),
    ]


def test_a_flow_that_is_not_there_is_not_linked(linked):
    assert linked("tasks: [{id: t, type: io.kestra.plugin.core.flow.Subflow, namespace: no, flowId: where}]") == []


def test_a_flow_is_never_linked_to_itself(watching):
    assert watching("states: [FAILED]") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("condition", "sources"),
    [
        ("{type: io.kestra.plugin.core.condition.ExecutionFlow, namespace: company, flowId: a}", ["a"]),
        ("{type: io.kestra.core.models.conditions.types.ExecutionFlowCondition, namespace: other, flowId: c}", ["c"]),
        ("{type: io.kestra.plugin.core.condition.ExecutionNamespace, namespace: company}", ["a"]),
        ("{type: io.kestra.plugin.core.condition.ExecutionNamespace, namespace: comp, comparison: PREFIX}", ["a", "b"]),
        ("{type: io.kestra.plugin.core.condition.ExecutionNamespace, namespace: team, comparison: SUFFIX}", ["b"]),
        ("{type: io.kestra.plugin.core.condition.ExecutionNamespace, namespace: company, prefix: true}", ["a", "b"]),
        ("{type: io.kestra.plugin.core.condition.ExecutionStatus, in: [FAILED]}", ["a", "b", "c"]),
    ],
)
def test_a_condition_rules_flows_out(watching, condition, sources):
    assert watching(f"conditions: [{condition}]") == sources


NAMED = "{type: io.kestra.plugin.core.condition.ExecutionFlow, namespace: other, flowId: c}"
MULTIPLE = "io.kestra.plugin.core.condition.MultipleCondition"
DYNAMIC = "{type: io.kestra.plugin.core.condition.Expression, expression: x}"


@pytest.mark.parametrize(
    ("condition", "sources"),
    [
        (f"{{type: io.kestra.plugin.core.condition.Not, conditions: [{NAMED}]}}", ["a", "b"]),
        (f"{{type: io.kestra.plugin.core.condition.Not, conditions: [{DYNAMIC}]}}", ["a", "b", "c"]),
        (f"{{type: io.kestra.plugin.core.condition.Or, conditions: [{NAMED}]}}", ["c"]),
        (f"{{type: io.kestra.plugin.core.condition.Or, conditions: [{NAMED}, {DYNAMIC}]}}", ["a", "b", "c"]),
        (f"{{type: {MULTIPLE}, id: m, conditions: {{x: {NAMED}, y: {DYNAMIC}}}}}", ["c"]),
    ],
)
def test_conditions_made_of_others_rule_out_what_those_do(watching, condition, sources):
    assert watching(f"conditions: [{condition}]") == sources


@pytest.mark.parametrize(
    ("preconditions", "sources"),
    [
        ("flows: [{namespace: company}, {namespace: other, flowId: c}]", ["a", "c"]),
        ("where: [{id: w, filters: [{field: FLOW_ID, type: IN, values: [a, b]}]}]", ["a", "b"]),
        (
            "where: [{id: w, filters: [{field: NAMESPACE, type: STARTS_WITH, value: comp}, "
            "{field: FLOW_ID, type: NOT_EQUAL_TO, value: a}]}]",
            ["b"],
        ),
        (
            "where: [{id: w, operand: OR, filters: [{field: NAMESPACE, type: ENDS_WITH, value: team}, "
            "{field: FLOW_ID, type: EQUAL_TO, value: c}]}]",
            ["b", "c"],
        ),
        ("where: [{id: w, filters: [{field: STATE, type: EQUAL_TO, value: FAILED}]}]", ["a", "b", "c"]),
    ],
)
def test_preconditions_name_the_flows_that_they_wait_for(watching, preconditions, sources):
    assert watching(f"preconditions: {{id: p, {preconditions}}}") == sources


def test_what_is_around_a_flow_goes_one_step_or_all_the_way():
    steps = [Link(("n", one), ("n", two), "FLOW_TASK") for one, two in ("ab", "bc", "cd")]
    near = around(steps, ("n", "c"), incoming=False, whole=False)
    assert set(near) == {steps[1], steps[2]}
    assert around(steps, ("n", "c"), incoming=True, whole=False) == (steps[1],)
    assert set(around(steps, ("n", "c"), incoming=True, whole=True)) == {steps[0], steps[1]}
    assert set(around(steps, ("n", "a"), incoming=False, whole=True)) == set(steps)
