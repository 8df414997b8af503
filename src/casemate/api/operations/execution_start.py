"""Operations that start executions, and that tell beforehand whether their inputs are right."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from casemate.api import large, shapes
from casemate.api.call import Call
from casemate.api.errors import Declined, illegal_argument
from casemate.api.labels import given
from casemate.api.operation import FORM, Answer, Operation, Permission
from casemate.api.sse import closing
from casemate.api.submitted import kept, looked_at
from casemate.executions import Execution, History, ResolvedInput, State, to_json
from casemate.flows import Flow, Input, input_to_json
from casemate.identifiers import ExecutionId
from casemate.orchestrator import new_id


async def create_execution(call: Call) -> Answer:
    """Start a flow; with `wait` the answer comes when it has ended."""
    flow, labels, date = await _flow(call), given(call.texts("labels")), _date(call.text("scheduleDate"))
    if call.text("breakpoints") is not None:
        raise Declined(501, "Not Implemented: breakpoints")
    _normal(call.text("kind"))
    name = ExecutionId(new_id())
    async with kept(await call.form(), flow, name, call.deps) as inputs:
        begun = await call.deps.orchestrator.create(flow, inputs, labels=labels, execution_id=name, schedule_date=date)
    seen = await ended(call, begun) if call.flag("wait") else _at_first(begun)
    return await large.one(seen, url=_url(seen, call))


async def validate_new_execution_inputs(call: Call) -> Answer:
    """Tell what would become of inputs, without starting anything."""
    flow = await _flow(call)
    given(call.texts("labels"))
    inputs = await looked_at(await call.form(), flow.inputs, flow)
    return {"id": flow.id, "namespace": flow.namespace, "inputs": await resolved(call, flow, flow.inputs, inputs)}


async def resolved(
    call: Call, place: Flow | Execution, inputs: tuple[Input, ...], submitted: Mapping[str, object]
) -> list[dict[str, object]]:
    """What would become of each input of the flow, or of the paused execution."""
    found = await call.deps.orchestrator.starting.looked_at(place, inputs, submitted)
    return [_resolved(one, submitted) for one in found]


def with_url(execution: Execution, call: Call) -> dict[str, object]:
    """The execution, and where people can look at it."""
    return {**to_json(execution), "url": _url(execution, call)}


def _url(execution: Execution, call: Call) -> str:
    place = f"{execution.tenant}/executions/{execution.namespace}/{execution.flow_id}/{execution.id}"
    return f"{call.deps.url}/ui/{place}"


def _at_first(execution: Execution) -> Execution:
    """The execution as it was made, or as it was let in: what came of it in the same instant is for the next look."""
    first, *further = execution.history.moments
    begun = [moment for moment in further[:1] if moment.state is State.RUNNING]
    return replace(execution, history=History((first, *begun)))


async def ended(call: Call, execution: Execution) -> Execution:
    """The execution when it has ended; raises `Declined` when nobody waits for the answer any more."""
    watching = asyncio.create_task(_watched(call, execution))
    leaving = asyncio.create_task(_left(call))
    try:
        await asyncio.wait((watching, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not watching.done():
            raise Declined(499, "Client Closed Request")
        return await watching
    finally:
        watching.cancel()
        leaving.cancel()


async def _watched(call: Call, execution: Execution) -> Execution:
    async with closing(call.deps.orchestrator.watch(execution.tenant, execution.id)) as changes:
        async for seen in changes:
            execution = seen
    return execution


async def _left(call: Call) -> None:
    while (await call.request.receive())["type"] != "http.disconnect":
        pass


def _normal(kind: str | None) -> None:
    if kind in _KINDS:
        raise Declined(501, f"Not Implemented: executions of kind {kind}")
    if kind not in (None, "NORMAL"):
        raise illegal_argument(f"kind is {kind[:100]!r}, it must be NORMAL or one of {', '.join(_KINDS)}")


async def _flow(call: Call) -> Flow:
    return await call.deps.orchestrator.flow_of(call.tenant, *call.flow, call.number("revision"))


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        # A plus sign that was not encoded arrives as a blank.
        date = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise illegal_argument(
            f"scheduleDate is {text[:100]!r}, it must be a date like 2026-11-01T12:00:00Z"
        ) from error
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _resolved(one: ResolvedInput, inputs: Mapping[str, object]) -> dict[str, object]:
    value = one.value if one.enabled else inputs.get(one.input.id)
    default = one.input.id not in inputs
    shown = {"input": input_to_json(one.input), "value": value, "enabled": one.enabled, "isDefault": default}
    return shown if one.problem is None else {**shown, "errors": [{"message": one.problem.message}]}


_KINDS = ("TEST", "PLAYGROUND", "LOOP")
_FLOW = "/api/v1/{tenant}/executions/{namespace}/{id}"
_EXECUTE: Permission = ("FLOW", "EXECUTE")

TABLE = (
    Operation(
        "POST",
        _FLOW,
        can=_EXECUTE,
        audit="execution:create",
        body=FORM,
        asks={"wait": bool, "labels": list, "revision": int, "scheduleDate": str, "breakpoints": str, "kind": str},
        returns=shapes.Execution,
        run=create_execution,
    ),
    Operation(
        "POST",
        _FLOW + "/validate",
        can=_EXECUTE,
        audit="execution:validate",
        body=FORM,
        asks={"labels": list, "revision": int},
        returns=shapes.InputsResolved,
        run=validate_new_execution_inputs,
    ),
)
