"""Which flows start which others: by a task that names them, or by a trigger that watches them.

A condition that only an execution can answer may hold: whoever it does not rule out is linked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from casemate.catalog import Role
from casemate.flows.model import Flow, Trigger
from casemate.identifiers import FlowId, Namespace

Name: TypeAlias = tuple[Namespace, FlowId]

FLOW_TRIGGER: Final = "io.kestra.plugin.core.trigger.Flow"
_CONDITION: Final = "io.kestra.plugin.core.condition."
_Verdict: TypeAlias = bool | None
"""True or false for every execution of a flow; None where it depends on the execution."""


class LinkKind(StrEnum):
    """How a flow starts another."""

    FLOW_TASK = "FLOW_TASK"
    FLOW_TRIGGER = "FLOW_TRIGGER"


@dataclass(frozen=True, slots=True)
class Link:
    """Executions of `source` start executions of `target`."""

    source: Name
    target: Name
    kind: LinkKind


def links(flows: Iterable[Flow], names: Iterable[Name]) -> Iterator[Link]:
    """Every link that these flows declare to or from one of the names. A flow has no link to itself."""
    known = tuple(dict.fromkeys(names))
    present = frozenset(known)
    for flow in flows:
        own = (flow.namespace, flow.id)
        called = dict.fromkeys(name for name in _called(flow) if name != own and name in present)
        yield from (Link(own, name, LinkKind.FLOW_TASK) for name in called)
        watches = [trigger for trigger in flow.triggers if trigger.canonical == FLOW_TRIGGER]
        for name in known if watches else ():
            if name != own and any(_may_start(trigger, name) for trigger in watches):
                yield Link(name, own, LinkKind.FLOW_TRIGGER)


def around(every: Iterable[Link], name: Name, *, incoming: bool, whole: bool) -> tuple[Link, ...]:
    """The links of a flow: those that lead to it (`incoming`), or all; `whole`: and those of the flows so reached."""
    known = tuple(every)
    found: dict[Link, None] = {}
    reached, fresh = {name}, {name}
    while fresh:
        touching = [one for one in known if one.target in fresh or (not incoming and one.source in fresh)]
        found |= dict.fromkeys(touching)
        fresh = {end for one in touching for end in (one.source, one.target)} - reached if whole else set()
        reached |= fresh
    return tuple(found)


def _called(flow: Flow) -> Iterator[Name]:
    for task in flow.all_tasks():
        namespace, name = task.properties.get("namespace"), task.properties.get("flowId")
        if task.role is Role.EXECUTABLE and isinstance(namespace, str) and isinstance(name, str):
            yield Namespace(namespace), FlowId(name)


def _may_start(trigger: Trigger, flow: Name) -> bool:
    plain = (_judged(condition, flow) for condition in _maps(trigger.properties.get("conditions")))
    preconditions = trigger.properties.get("preconditions")
    awaited = _awaited(preconditions, flow) if isinstance(preconditions, Mapping) else None
    return awaited is not False and all(verdict is not False for verdict in plain)


def _judged(condition: Mapping[str, Any], flow: Name) -> _Verdict:
    kind = str(condition.get("type")).rpartition(".")[2].removesuffix("Condition")
    inner = condition.get("conditions")
    match kind:
        case "Not":
            return _negated(_any_of(_judged(each, flow) for each in _maps(inner)))
        case "Or":
            return _any_of(_judged(each, flow) for each in _maps(inner))
        case "Multiple":
            return _one_of(_judged(each, flow) for each in _maps(inner))
        case "ExecutionFlow" | "Flow":
            return flow == (condition.get("namespace"), condition.get("flowId"))
        case "ExecutionNamespace" | "FlowNamespace":
            return _compared(condition)(flow[0])
    return None


def _compared(condition: Mapping[str, Any]) -> Callable[[str], bool]:
    namespace = str(condition.get("namespace"))
    comparison = condition.get("comparison") or ("PREFIX" if condition.get("prefix") else "EQUALS")
    match comparison:
        case "PREFIX":
            return lambda given: given.startswith(namespace)
        case "SUFFIX":
            return lambda given: given.endswith(namespace)
    return lambda given: given == namespace


def _awaited(preconditions: Mapping[str, Any], flow: Name) -> _Verdict:
    """Each entry waits for executions of its own; a flow is linked that meets one of them."""
    flows = (_named(each, flow) for each in _maps(preconditions.get("flows")))
    where = (_filtered(each, flow) for each in _maps(preconditions.get("where")))
    return _one_of((*flows, *where))


def _named(entry: Mapping[str, Any], flow: Name) -> bool:
    return entry.get("namespace") == flow[0] and entry.get("flowId") in (None, flow[1])


def _filtered(entry: Mapping[str, Any], flow: Name) -> _Verdict:
    verdicts = [_met(each, flow) for each in _maps(entry.get("filters"))]
    if entry.get("operand") == "OR":
        return _any_of(verdicts)
    return _negated(_any_of(_negated(verdict) for verdict in verdicts))


def _met(given: Mapping[str, Any], flow: Name) -> _Verdict:
    actual = {"NAMESPACE": flow[0], "FLOW_ID": flow[1]}.get(str(given.get("field")))
    test = _TESTS.get(str(given.get("type")))
    if actual is None or test is None:
        return None
    return test(actual, given.get("values") or [given.get("value")])


_TESTS: Final[Mapping[str, Callable[[str, list[Any]], bool]]] = {
    "EQUAL_TO": lambda actual, values: actual == values[0],
    "NOT_EQUAL_TO": lambda actual, values: actual != values[0],
    "IN": lambda actual, values: actual in values,
    "NOT_IN": lambda actual, values: actual not in values,
    "STARTS_WITH": lambda actual, values: actual.startswith(str(values[0])),
    "ENDS_WITH": lambda actual, values: actual.endswith(str(values[0])),
    "CONTAINS": lambda actual, values: str(values[0]) in actual,
}


def _any_of(verdicts: Iterable[_Verdict]) -> _Verdict:
    found = list(verdicts)
    if any(verdict is True for verdict in found):
        return True
    return None if None in found else False


def _one_of(verdicts: Iterable[_Verdict]) -> _Verdict:
    """Of several that different executions may meet: those that can be told decide, unless none can."""
    told = [verdict for verdict in verdicts if verdict is not None]
    return any(told) if told else None


def _negated(verdict: _Verdict) -> _Verdict:
    return None if verdict is None else not verdict


def _maps(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list, or of a map by names."""
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [each for each in items if isinstance(each, Mapping)]
