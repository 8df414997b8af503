"""Conditions about executions, and preconditions, asked of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from casemate.executions import (
    Attempt,
    Execution,
    Grounds,
    History,
    State,
    TaskRun,
    all_hold,
    comes_from,
    passes,
    variables_of,
)
from casemate.expressions import NeedsWorld, Unanswerable, render
from casemate.flows import Condition, Flow, Label
from casemate.identifiers import MAIN, ExecutionId, FlowId, Namespace, TaskId, TaskRunId

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)

FLOW = Flow(
    tenant=MAIN,
    namespace=Namespace("company.own"),
    id=FlowId("own"),
    tasks=(),
    source="",
    document={},
    variables={"v": 1},
)


def history(*states: State) -> History:
    made = History.begun(NOW)
    for state in states:
        made = made.to(state, NOW)
    return made


SEEN = Execution(
    id=ExecutionId("e1"),
    tenant=MAIN,
    namespace=Namespace("company.team"),
    flow_id=FlowId("flow"),
    flow_revision=1,
    history=history(State.RUNNING, State.SUCCESS),
    labels=(Label("team", "data"), Label("env", "prod")),
    outputs={"x": 1},
)


def tried(*ends: State) -> Execution:
    attempts = tuple(Attempt(history(State.RUNNING, end)) for end in ends)
    run = TaskRun(id=TaskRunId("r"), task_id=TaskId("t"), history=history(State.RUNNING, ends[-1]), attempts=attempts)
    return replace(SEEN, task_runs={run.id: run})


class Asked:
    """Asks conditions of an execution; keeps the warnings."""

    def __init__(self, execution: Execution = SEEN) -> None:
        self.warnings: list[str] = []
        self.seen = variables_of(FLOW, execution)
        self.grounds = Grounds(flow=FLOW, execution=execution, render=self._render)

    def _render(self, _key: str, template: object, more: Mapping[str, object]) -> object:
        return render(template, {**self.seen, **more}, Unanswerable(now=NOW))

    def about(self, *conditions: Condition) -> bool:
        return all_hold(self.grounds, "k", conditions, self.warnings.append)


def condition(kind: str, *inner: Condition, **properties: object) -> Condition:
    canonical = f"io.kestra.plugin.core.condition.{kind}"
    return Condition(canonical=canonical, properties=properties, conditions=inner)


YES, NO = condition("Expression", expression="yes"), condition("Expression", expression="false")
BAD = condition("Expression", expression="{{ nothing }}")


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        (condition("ExecutionFlow", namespace="company.team", flowId="flow"), True),
        (condition("ExecutionFlow", namespace="company.team", flowId="own"), False),
        (condition("ExecutionFlow", namespace="company.{{ 'team' }}", flowId="{{ 'flow' }}"), True),
        (condition("FlowCondition", namespace="company.own", flowId="own"), True),
        (condition("FlowCondition", namespace="company.team", flowId="flow"), False),
        (condition("ExecutionNamespace", namespace="company.team"), True),
        (condition("ExecutionNamespace", namespace="company"), False),
        (condition("ExecutionNamespace", namespace="company", prefix=True), True),
        (condition("ExecutionNamespace", namespace="company", prefix="{{ 1 == 1 }}"), True),
        (condition("ExecutionNamespace", namespace="company", prefix=True, comparison="EQUALS"), False),
        (condition("ExecutionNamespace", namespace="company.", comparison="PREFIX"), True),
        (condition("ExecutionNamespace", namespace=".team", comparison="SUFFIX"), True),
        (condition("FlowNamespaceCondition", namespace="company.own"), True),
        (condition("FlowNamespaceCondition", namespace="company", prefix=True), True),
        (condition("FlowNamespaceCondition", namespace="company.team"), False),
        (
            condition("ExecutionLabels", labels=[{"key": "team", "value": "data"}, {"key": "env", "value": "prod"}]),
            True,
        ),
        (
            condition("ExecutionLabels", labels=[{"key": "team", "value": "data"}, {"key": "env", "value": "test"}]),
            False,
        ),
        (condition("ExecutionStatus"), True),
        (condition("ExecutionStatus", **{"in": ["SUCCESS", "{{ 'WARNING' }}"]}), True),
        (condition("ExecutionStatus", **{"in": ["{{ 'SUCC' }}ESS"], "notIn": ["FAILED"]}), True),
        (condition("ExecutionStatus", notIn=["SUCCESS"]), False),
        (condition("ExecutionOutputs", expression="{{ trigger.outputs.x == 1 }}"), True),
        (condition("ExecutionOutputs", expression="{{ trigger.outputs.x == 2 }}"), False),
        (condition("Expression", expression="{{ flow.id }}"), True),
        (condition("Expression", expression="{{ unknown is defined }}"), False),
        (condition("Expression", expression="  \n"), False),
        (condition("Expression", expression=" false "), False),
        (condition("Not", NO, NO), True),
        (condition("Not", NO, YES), False),
        (condition("Not", BAD), False),
        (condition("Or", NO, YES), True),
        (condition("Or", NO, NO), False),
        (condition("Or", BAD, YES), False),
        (condition("Not", condition("Or", NO)), True),
        (condition("MultipleCondition", YES, id="m"), False),
    ],
)
def test_a_condition_holds_or_not(asked: Condition, holds: bool):
    assert Asked().about(asked) is holds


def test_all_of_several_conditions_are_to_hold():
    assert Asked().about()
    assert Asked().about(YES, YES)
    assert not Asked().about(YES, NO)


def test_one_that_fails_is_told_and_those_after_it_are_not_asked():
    asked = Asked()
    assert not asked.about(BAD, condition("MultipleCondition"))
    (warning,) = asked.warnings
    assert warning.startswith("Evaluate Condition Failed with error 'Unable to find `nothing`")


def test_without_outputs_their_expression_is_not_even_rendered():
    asked = Asked(replace(SEEN, outputs=None))
    assert not asked.about(condition("ExecutionOutputs", expression="{{ nothing }}"))
    assert asked.warnings == []


@pytest.mark.parametrize(
    ("ends", "properties", "holds"),
    [
        ([State.KILLED], {}, False),
        ([State.FAILED, State.SUCCESS], {}, True),
        ([State.FAILED, State.SUCCESS], {"in": ["FAILED"]}, True),
        ([State.FAILED, State.SUCCESS], {"in": ["KILLED"]}, False),
        ([State.FAILED, State.FAILED], {"notIn": ["FAILED"]}, False),
    ],
)
def test_tasks_that_were_tried_again(ends: list[State], properties: dict[str, object], holds: bool):
    assert Asked(tried(*ends)).about(condition("HasRetryAttempt", **properties)) is holds


def test_who_cannot_answer_is_not_a_failure():
    with pytest.raises(NeedsWorld):
        Asked().about(condition("Expression", expression="{{ kv('x') }}"))


@pytest.mark.parametrize(
    ("upstream", "met"),
    [
        ({"namespace": "company.team"}, True),
        ({"namespace": "company"}, False),
        ({"namespace": "company.team", "flowId": "flow"}, True),
        ({"namespace": "company.team", "flowId": "other"}, False),
        ({"namespace": "company.team", "states": ["SUCCESS"]}, True),
        ({"namespace": "company.team", "states": ["FAILED"]}, False),
        ({"namespace": "company.team", "labels": [{"key": "team", "value": "data"}]}, True),
        ({"namespace": "company.team", "labels": [{"key": "team", "value": "other"}]}, False),
    ],
)
def test_an_upstream_flow(upstream: dict[str, object], met: bool):
    assert comes_from(SEEN, upstream) is met


@pytest.mark.parametrize(
    ("field", "kind", "value", "passed"),
    [
        ("FLOW_ID", "EQUAL_TO", "flow", True),
        ("FLOW_ID", "EQUAL_TO", "flo", False),
        ("FLOW_ID", "NOT_EQUAL_TO", "flow", False),
        ("NAMESPACE", "STARTS_WITH", "company.", True),
        ("NAMESPACE", "STARTS_WITH", "team", False),
        ("NAMESPACE", "ENDS_WITH", ".team", True),
        ("NAMESPACE", "ENDS_WITH", "company", False),
        ("NAMESPACE", "CONTAINS", "y.t", True),
        ("NAMESPACE", "CONTAINS", "x", False),
        ("NAMESPACE", "REGEX", r"company\..*", True),
        ("NAMESPACE", "REGEX", "company", False),
        ("NAMESPACE", "REGEX", "(", False),
        ("STATE", "IN", ["SUCCESS", "WARNING"], True),
        ("STATE", "IN", ["WARNING"], False),
        ("STATE", "NOT_IN", ["SUCCESS"], False),
        ("STATE", "NOT_IN", ["WARNING"], True),
        ("EXPRESSION", "IS_TRUE", "{{ labels.team == 'data' }}", True),
        ("EXPRESSION", "IS_TRUE", "{{ 0 }}", False),
        ("EXPRESSION", "IS_FALSE", "{{ labels.team == 'data' }}", False),
        ("EXPRESSION", "IS_FALSE", "{{ 0 }}", True),
        ("EXPRESSION", "IS_NULL", "{{ null }}", True),
        ("EXPRESSION", "IS_NULL", "{{ labels.team }}", False),
        ("EXPRESSION", "IS_NOT_NULL", "{{ labels.team }}", True),
        ("EXPRESSION", "IS_NOT_NULL", "{{ null }}", False),
        ("EXPRESSION", "IS_FALSE", "{{ nothing }}", False),
        ("FLOW_ID", "IS_NOT_NULL", "x", True),
        ("FLOW_ID", "IS_NULL", "x", False),
    ],
)
def test_a_filter(field: str, kind: str, value: object, passed: bool):
    name = "values" if isinstance(value, list) else "value"
    where = {"id": "w", "operand": "AND", "filters": [{"field": field, "type": kind, name: value}]}
    assert passes(Asked().grounds, "k", where, lambda _: None) is passed


@pytest.mark.parametrize(("operand", "passed"), [("AND", False), ("OR", True), (None, False)])
def test_filters_are_joined_by_their_operand(operand: str | None, passed: bool):
    filters = [{"field": "FLOW_ID", "type": "EQUAL_TO", "value": name} for name in ("flow", "other")]
    assert passes(Asked().grounds, "k", {"operand": operand, "filters": filters}, lambda _: None) is passed


def test_an_earlier_state_is_seen_without_what_was_put_out_later():
    before = SEEN.at(1)
    assert (before.state, before.outputs) == (State.RUNNING, None)
    assert SEEN.at(2) == SEEN
    again = replace(SEEN, history=history(State.RUNNING, State.SUCCESS, State.RESTARTED))
    assert (again.at(2).state, again.at(2).outputs) == (State.SUCCESS, {"x": 1})
