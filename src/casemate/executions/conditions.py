"""Do conditions hold: those of a listener, of a trigger, of a flow trigger (spec/engine 9.4)?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from casemate.executions.date_conditions import KINDS as DATES
from casemate.executions.date_conditions import date_holds
from casemate.executions.model import Execution
from casemate.expressions import ExpressionError, NeedsWorld, printed, truthy
from casemate.flows import Condition, Flow

_CONDITION: Final = "io.kestra.plugin.core.condition."

_FIXED: Final = frozenset(("labels", "conditions"))
"""Properties that hold no templates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What conditions are judged by.

    `render(key, template, more)` renders a text or map with the variables at hand and `more`; it raises
    `ExpressionError`, or `NeedsWorld` after asking under that key. `execution` is the one that conditions about an
    execution look at, None where there is none (a schedule). Conditions about a flow look at the one that has them:
    `flow`, where that is not the one of the execution. Dates without a zone are in `zone`.
    """

    render: Callable[[str, object, Mapping[str, object]], object]
    execution: Execution | None = None
    flow: Flow | None = None
    zone: tzinfo = UTC


def all_hold(grounds: Grounds, key: str, conditions: Sequence[Condition], say: Callable[[str], None]) -> bool:
    """Do all of them hold? One that fails, or that cannot be told, does not, and `say` hears why.

    Raises `NeedsWorld` as `Grounds.render` does; `key` is what the questions are asked under.
    """

    def one(number: int, each: Condition) -> bool:
        return surely(lambda: holds(grounds, f"{key}:{number}", each), say)

    return all(one(number, each) for number, each in enumerate(conditions))


def surely(tell: Callable[[], bool], say: Callable[[str], None]) -> bool:
    """What is told; if it fails, no, and `say` hears why. Raises `NeedsWorld`."""
    try:
        return tell()
    except NeedsWorld:
        raise
    except ExpressionError as error:
        say(f"Evaluate Condition Failed with error '{error}'")
        return False


def holds(grounds: Grounds, key: str, condition: Condition) -> bool:
    """Does one hold? Raises `ExpressionError` for one that fails or cannot be told, `NeedsWorld` as `all_hold` does."""
    kind = condition.canonical.removeprefix(_CONDITION)
    inner = ((f"{key}:{number}", each) for number, each in enumerate(condition.conditions))
    match kind:
        case "Not":
            return not any(holds(grounds, *each) for each in inner)
        case "Or":
            return any(holds(grounds, *each) for each in inner)
        case "Expression":
            rendered = grounds.render(key, condition.properties.get("expression"), {})
            return printed(rendered).strip() not in ("", "false")
        case "ExecutionOutputs":
            return _outputs(grounds, key, condition)
    if kind in DATES:
        asked = grounds.render(key, dict(condition.properties), {})
        assert isinstance(asked, Mapping), "a map is rendered to a map"
        return date_holds(kind, asked, grounds.zone)
    return _plain(grounds, key, condition)


def has_labels(execution: Execution, wanted: object) -> bool:
    """Does it have all of these labels, each a map of `key` and `value`?"""
    assert isinstance(wanted, Iterable), "the flow was checked"
    has = {(label.key, label.value) for label in execution.labels}
    return all((label["key"], label["value"]) in has for label in wanted)


def _plain(grounds: Grounds, key: str, condition: Condition) -> bool:
    kind = condition.canonical.removeprefix(_CONDITION)
    if kind not in _PLAIN and kind not in _OF_FLOW:
        raise ExpressionError(f"Conditions of type {condition.canonical} can't be evaluated here")
    execution = grounds.execution
    if execution is None:
        raise ExpressionError("Invalid condition with null execution")
    asked = {name: _filled(grounds, f"{key}:{name}", name, value) for name, value in condition.properties.items()}
    if kind in _PLAIN:
        return _PLAIN[kind](asked, execution)
    flow = grounds.flow
    place = (execution.namespace, execution.flow_id) if flow is None else (flow.namespace, flow.id)
    return _OF_FLOW[kind](asked, *place)


def _filled(grounds: Grounds, key: str, name: str, value: object) -> object:
    if name in _FIXED:
        return value
    if isinstance(value, list):
        return [_filled(grounds, f"{key}:{number}", name, each) for number, each in enumerate(value)]
    return printed(grounds.render(key, value, {})) if isinstance(value, str) and "{" in value else value


def _outputs(grounds: Grounds, key: str, condition: Condition) -> bool:
    execution = grounds.execution
    if execution is None or not execution.outputs:
        return False
    more = {"trigger": {**_trigger(execution), "outputs": execution.outputs}}
    return truthy(grounds.render(key, condition.properties.get("expression"), more))


def _trigger(execution: Execution) -> Mapping[str, object]:
    variables = (execution.trigger or {}).get("variables")
    return variables if isinstance(variables, Mapping) else {}


def _is_flow(asked: Mapping[str, object], namespace: str, flow: str) -> bool:
    return namespace == asked.get("namespace") and flow == asked.get("flowId")


def _is_in(asked: Mapping[str, object], namespace: str, _flow: str) -> bool:
    wanted, prefix = str(asked.get("namespace")), asked.get("prefix") in (True, "true")
    match asked.get("comparison") or ("PREFIX" if prefix else "EQUALS"):
        case "PREFIX":
            return namespace.startswith(wanted)
        case "SUFFIX":
            return namespace.endswith(wanted)
    return namespace == wanted


def _flow(asked: Mapping[str, object], execution: Execution) -> bool:
    return _is_flow(asked, execution.namespace, execution.flow_id)


def _namespace(asked: Mapping[str, object], execution: Execution) -> bool:
    return _is_in(asked, execution.namespace, execution.flow_id)


def _labels(asked: Mapping[str, object], execution: Execution) -> bool:
    return has_labels(execution, asked.get("labels"))


def _among(asked: Mapping[str, object], state: str) -> bool:
    within, without = asked.get("in"), asked.get("notIn")
    return (not isinstance(within, Sequence) or state in within) and not (
        isinstance(without, Sequence) and state in without
    )


def _status(asked: Mapping[str, object], execution: Execution) -> bool:
    return _among(asked, execution.state.value)


def _tried_again(asked: Mapping[str, object], execution: Execution) -> bool:
    again = (run for run in execution.task_runs.values() if len(run.attempts) > 1)
    return any(_among(asked, attempt.history.current.value) for run in again for attempt in run.attempts)


_OF_FLOW: Final[Mapping[str, Callable[[Mapping[str, object], str, str], bool]]] = {
    "FlowCondition": _is_flow,
    "FlowNamespaceCondition": _is_in,
}

_PLAIN: Final[Mapping[str, Callable[[Mapping[str, object], Execution], bool]]] = {
    "ExecutionFlow": _flow,
    "ExecutionNamespace": _namespace,
    "ExecutionLabels": _labels,
    "ExecutionStatus": _status,
    "HasRetryAttempt": _tried_again,
}
