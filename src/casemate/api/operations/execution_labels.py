"""Operations that label executions which have ended."""

from __future__ import annotations

from collections.abc import Iterable

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import Declined
from casemate.api.labels import unreserved
from casemate.api.operation import Answer, Body, Operation, Permission
from casemate.api.operations.acting import actions
from casemate.api.operations.choosing import each, found_by, picked
from casemate.api.operations.executions import named
from casemate.api.search import FILTERS, OLD_FILTERS
from casemate.errors import Problem, Refused
from casemate.executions import to_json
from casemate.flows import Label

_LABELS = list[shapes.LabelOf]
_LABELS_OF_SOME = shapes.LabelsAsked
_NOT_ENDED = "The execution is not terminated"


async def set_labels_on_terminated_execution(call: Call) -> Answer:
    """Label an execution that has ended; labels of the same key are replaced, others stay."""
    found = await named(call)
    given = await call.body_json(_LABELS)
    labels = _written(given)
    if not found.state.terminated:
        raise Declined(400, _NOT_ENDED)
    return to_json(await actions(call).set_labels(call.tenant, found.id, labels))


async def set_labels_on_terminated_executions_by_ids(call: Call) -> Answer:
    """Label the executions that are named; none of them if one has not ended."""
    asked = await call.body_json(_LABELS_OF_SOME)
    labels = unreserved(_written(asked["executionLabels"]))
    ended = await picked(call, asked["executionsId"], lambda one: one.state.terminated, "is not terminated")
    return {"count": await each(ended, lambda one: actions(call).set_labels(call.tenant, one.id, labels))}


async def set_labels_on_terminated_executions_by_query(call: Call) -> Answer:
    """Label the executions that a search finds and that have ended."""
    given = await call.body_json(_LABELS)
    labels = unreserved(_written(given))
    found = await found_by(call)
    return {"count": await each(found, lambda one: actions(call).set_labels(call.tenant, one.id, labels))}


def _written(given: Iterable[shapes.LabelOf]) -> tuple[Label, ...]:
    labels = tuple(Label(one["key"], one["value"]) for one in given)
    if any(not label.key.strip() or not label.value.strip() for label in labels):
        raise Refused([Problem(code="label-empty", message="a label needs a key and a value", path="labels")])
    return labels


_EXECUTIONS = "/api/v1/{tenant}/executions"
_BRIEF = 256 << 10
_CHANGE: Permission = ("EXECUTION", "CHANGE_LABELS")


def _json(model: object) -> Body:
    return Body(types=("application/json",), model=model, limit=_BRIEF)


TABLE = (
    Operation(
        "POST",
        _EXECUTIONS + "/{execution_id}/actions/labels",
        can=_CHANGE,
        audit="execution:label",
        body=_json(list[shapes.LabelOf]),
        returns=shapes.Execution,
        run=set_labels_on_terminated_execution,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/labels/by-ids",
        can=_CHANGE,
        audit="execution:label",
        body=_json(shapes.LabelsAsked),
        returns=shapes.Count,
        run=set_labels_on_terminated_executions_by_ids,
    ),
    Operation(
        "POST",
        _EXECUTIONS + "/labels/by-query",
        can=_CHANGE,
        audit="execution:label",
        body=_json(list[shapes.LabelOf]),
        asks={**FILTERS, **OLD_FILTERS},
        returns=shapes.Count,
        run=set_labels_on_terminated_executions_by_query,
    ),
)
