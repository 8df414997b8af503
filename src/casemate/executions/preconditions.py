"""Is one of the preconditions of a Flow trigger met by an execution (spec/engine 9.3)?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from casemate.executions.conditions import Grounds, has_labels, surely
from casemate.executions.model import Execution
from casemate.expressions import matches, printed, truthy

Written: TypeAlias = Mapping[str, Any]
"""An entry of `flows` or `where`, as the flow says it."""


def comes_from(execution: Execution, upstream: Written) -> bool:
    """Is it an execution of this upstream flow, in one of its states, with its labels?"""
    states, labels = upstream.get("states"), upstream.get("labels")
    return (
        upstream["namespace"] == execution.namespace
        and upstream.get("flowId") in (None, execution.flow_id)
        and (states is None or execution.state.value in states)
        and (labels is None or has_labels(execution, labels))
    )


def passes(grounds: Grounds, key: str, where: Written, say: Callable[[str], None]) -> bool:
    """Does an execution pass the filters, all of them or one? If one fails it does not, and `say` hears why.

    Raises `NeedsWorld`.
    """
    execution = grounds.execution
    assert execution is not None, "executions meet preconditions"

    def tell() -> bool:
        filters = enumerate(where.get("filters") or ())
        passed = (_passes(grounds, execution, f"{key}:{number}", one) for number, one in filters)
        return any(passed) if where.get("operand") == "OR" else all(passed)

    return surely(tell, say)


def _passes(grounds: Grounds, execution: Execution, key: str, one: Written) -> bool:
    seen = _field(grounds, execution, key, one)
    kind, value, values = one["type"], one.get("value") or "", one.get("values") or ()
    if kind in _SINGLE:
        return _single(kind, seen, value)
    return _listed(kind, seen, values) if kind in ("IN", "NOT_IN") else _told_by_itself(kind, seen)


def _field(grounds: Grounds, execution: Execution, key: str, one: Written) -> str:
    match one["field"]:
        case "FLOW_ID":
            return execution.flow_id
        case "NAMESPACE":
            return execution.namespace
        case "STATE":
            return execution.state.value
    return printed(grounds.render(key, one.get("value"), {}))


_SINGLE: Final = frozenset(("EQUAL_TO", "NOT_EQUAL_TO", "STARTS_WITH", "ENDS_WITH", "REGEX", "CONTAINS"))


def _single(kind: str, seen: str, value: str) -> bool:
    match kind:
        case "EQUAL_TO":
            return seen == value
        case "NOT_EQUAL_TO":
            return seen != value
        case "STARTS_WITH":
            return seen.startswith(value)
        case "ENDS_WITH":
            return seen.endswith(value)
        case "CONTAINS":
            return value in seen
    return matches(value, seen)


def _listed(kind: str, seen: str, values: Sequence[str]) -> bool:
    return (seen in values) is (kind == "IN")


def _told_by_itself(kind: str, seen: str) -> bool:
    """A text that is empty is null: rendering prints nothing for null."""
    match kind:
        case "IS_TRUE":
            return truthy(seen)
        case "IS_FALSE":
            return not truthy(seen)
        case "IS_NULL":
            return not seen
    return bool(seen)
