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
from casemate.flows import Condition

_CONDITION: Final = "io.kestra.plugin.core.condition."


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What conditions are judged by.

    `render(key, template, more)` renders a text or map with the variables at hand and `more`; it raises
    `ExpressionError`, or `NeedsWorld` after asking under that key. `execution` is the one that conditions about an
    execution look at, None where there is none (a schedule). Dates without a zone are in `zone`.
    """

    render: Callable[[str, object, Mapping[str, object]], object]
    execution: Execution | None = None
    zone: tzinfo = UTC


def all_hold(grounds: Grounds, key: str, conditions: Sequence[Condition], say: Callable[[str], None]) -> bool:
    """Do all of them hold? One that fails, or that cannot be told, does not, and `say` hears why.

    Raises `NeedsWorld` as `Grounds.render` does; `key` is what the questions are asked under.
    """
    return all(_surely(grounds, f"{key}:{number}", each, say) for number, each in enumerate(conditions))


def _surely(grounds: Grounds, key: str, condition: Condition, say: Callable[[str], None]) -> bool:
    try:
        return holds(grounds, key, condition)
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
    plain = _PLAIN.get(kind)
    if plain is None:
        raise ExpressionError(f"Conditions of type {condition.canonical} can't be evaluated here")
    if grounds.execution is None:
        raise ExpressionError("Invalid condition with null execution")
    return plain(condition.properties, grounds.execution)


def _outputs(grounds: Grounds, key: str, condition: Condition) -> bool:
    execution = grounds.execution
    if execution is None or not execution.outputs:
        return False
    more = {"trigger": {**_trigger(execution), "outputs": execution.outputs}}
    return truthy(grounds.render(key, condition.properties.get("expression"), more))


def _trigger(execution: Execution) -> Mapping[str, object]:
    variables = (execution.trigger or {}).get("variables")
    return variables if isinstance(variables, Mapping) else {}


def _flow(asked: Mapping[str, object], execution: Execution) -> bool:
    return execution.namespace == asked.get("namespace") and execution.flow_id == asked.get("flowId")


def _namespace(asked: Mapping[str, object], execution: Execution) -> bool:
    namespace, prefix = str(asked.get("namespace")), asked.get("prefix") is True
    match asked.get("comparison") or ("PREFIX" if prefix else "EQUALS"):
        case "PREFIX":
            return execution.namespace.startswith(namespace)
        case "SUFFIX":
            return execution.namespace.endswith(namespace)
    return execution.namespace == namespace


def _labels(asked: Mapping[str, object], execution: Execution) -> bool:
    wanted = asked.get("labels")
    assert isinstance(wanted, Iterable), "the flow was checked"
    has = {(label.key, label.value) for label in execution.labels}
    return all((label["key"], label["value"]) in has for label in wanted)


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


_PLAIN: Final[Mapping[str, Callable[[Mapping[str, object], Execution], bool]]] = {
    "ExecutionFlow": _flow,
    "FlowCondition": _flow,
    "ExecutionNamespace": _namespace,
    "FlowNamespaceCondition": _namespace,
    "ExecutionLabels": _labels,
    "ExecutionStatus": _status,
    "HasRetryAttempt": _tried_again,
}
