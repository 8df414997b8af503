"""Do the conditions of a listener hold for an execution that has ended (spec/engine 9.4)?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from casemate.executions.commands import Write
from casemate.executions.model import Execution
from casemate.executions.turn import Turn
from casemate.expressions import ExpressionError, NeedsWorld, printed, truthy
from casemate.flows import Condition

_CONDITION = "io.kestra.plugin.core.condition."


def hold(turn: Turn, key: str, conditions: Sequence[Condition]) -> bool:
    """Do all of them hold? One that fails, or that cannot be told, does not; both are logged.

    Raises NeedsWorld after asking, as `Turn.render` does; `key` is what the questions are asked under.
    """
    return all(_holds(turn, f"{key}:{number}", condition) for number, condition in enumerate(conditions))


def _holds(turn: Turn, key: str, condition: Condition) -> bool:
    kind = condition.canonical.removeprefix(_CONDITION)
    inner = ((f"{key}:{number}", each) for number, each in enumerate(condition.conditions))
    match kind:
        case "Not":
            return not any(_holds(turn, *each) for each in inner)
        case "Or":
            return any(_holds(turn, *each) for each in inner)
        case "Expression" | "ExecutionOutputs":
            return _expressed(turn, key, condition)
    plain = _PLAIN.get(kind)
    if plain is None:
        message = f"Conditions of type {condition.canonical} can't be evaluated for listeners, thus it does not hold"
        turn.say(Write("WARN", message, kept=True))
        return False
    return plain(condition.properties, turn.execution)


def _expressed(turn: Turn, key: str, condition: Condition) -> bool:
    outputs = condition.canonical.endswith("ExecutionOutputs")
    if outputs and not turn.execution.outputs:
        return False
    more = {"trigger": {**_trigger(turn.execution), "outputs": turn.execution.outputs}} if outputs else {}
    try:
        rendered = turn.render(key, condition.properties.get("expression"), None, more)
    except NeedsWorld:
        raise
    except ExpressionError as error:
        turn.say(Write("WARN", f"Evaluate Condition Failed with error '{error}'", kept=True))
        return False
    return truthy(rendered) if outputs else printed(rendered).strip() not in ("", "false")


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


_PLAIN: Mapping[str, Callable[[Mapping[str, object], Execution], bool]] = {
    "ExecutionFlow": _flow,
    "FlowCondition": _flow,
    "ExecutionNamespace": _namespace,
    "FlowNamespaceCondition": _namespace,
    "ExecutionLabels": _labels,
    "ExecutionStatus": _status,
    "HasRetryAttempt": _tried_again,
}
