"""Operations on many triggers: those that the body names, or those that a search finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.filters import read
from casemate.api.operation import Answer, Operation, json_of
from casemate.api.operations.triggers import found_by, key_of, orphans
from casemate.api.search import FILTERS
from casemate.errors import Refused
from casemate.orchestrator import Conflict, NotFound, Triggers
from casemate.store import triggers as rows
from casemate.triggers import TriggerKey, TriggerState

MOST_AT_ONCE = 1000

_NAMES = list[shapes.TriggerName]
_SWITCHES = shapes.TriggerSwitches
_QUERY = shapes.TriggerQuery

Act: TypeAlias = Callable[[TriggerKey], Awaitable[object]]


async def disabled_triggers_by_ids(call: Call) -> Answer:
    """Switch the triggers that are named off or on."""
    asked = await call.body_json(_SWITCHES)
    recover = asked.get("recoverMissedSchedules") or False
    return await each(_keys(call, asked["triggers"]), _switching(call, disabled=asked["disabled"], recover=recover))


async def disabled_triggers_by_query(call: Call) -> Answer:
    """Switch the triggers that a search finds off, or on."""
    found = [one for one in await found_by(call) if one.disabled != call.flag("disabled", default=True)]
    switching = _switching(call, disabled=call.flag("disabled", default=True), recover=False)
    return await each((one.key for one in found), switching)


async def unlock_triggers_by_ids(call: Call) -> Answer:
    """Unlock those of the triggers that are named which are locked."""
    return await _unlocked(call, await named(call))


async def unlock_triggers_by_query(call: Call) -> Answer:
    """Unlock those of the triggers that a search finds which are locked."""
    return await _unlocked(call, await found_by(call))


async def delete_triggers_by_ids(call: Call) -> Answer:
    """Forget those of the triggers that are named which their flows do not declare any more."""
    return await each(await orphans(call, await named(call)), actions(call).delete)


async def delete_triggers_by_query(call: Call) -> Answer:
    """Forget those of the triggers that a search finds which their flows do not declare any more."""
    asked = await call.body_json(_QUERY)
    criteria = read(_parameters(asked.get("filters") or (), "filters"), call.deps.now())
    return await each(await orphans(call, await found_by(call, criteria)), actions(call).delete)


def actions(call: Call) -> Triggers:
    """What people can do with triggers."""
    return call.deps.orchestrator.triggers


def _switching(call: Call, *, disabled: bool, recover: bool) -> Act:
    return lambda key: actions(call).switch(key, disabled=disabled, recover=recover)


async def _unlocked(call: Call, states: Iterable[TriggerState]) -> Answer:
    return await each((one.key for one in states if one.locked), actions(call).unlock)


async def each(keys: Iterable[TriggerKey], act: Act) -> Answer:
    """Do it to each; how many it could be done to. What changed meanwhile so that it no longer can is left out."""
    count = 0
    for key in keys:
        try:
            await act(key)
        except (Conflict, NotFound, Refused):
            continue
        count += 1
    return {"count": count, "totalItems": count}


async def named(call: Call) -> list[TriggerState]:
    """The triggers that the body names, as far as they are there."""
    names = await call.body_json(_NAMES)
    found = [await call.deps.db.read(rows.get, key) for key in _keys(call, names)]
    return [state for state in found if state is not None]


def _keys(call: Call, names: Iterable[Mapping[str, Any]]) -> list[TriggerKey]:
    keys = list(dict.fromkeys(key_of(call, name) for name in names))
    if len(keys) > MOST_AT_ONCE:
        raise illegal_argument(f"{len(keys)} triggers are named, at most {MOST_AT_ONCE} may be")
    return keys


def _parameters(filters: Iterable[Mapping[str, Any]], prefix: str) -> Iterator[tuple[str, str]]:
    """Filters in a body as the parameters of a query that they would be."""
    for number, one in enumerate(filters):
        members = one.get("children")
        if members:
            logical = str(one.get("logical") or "and").lower()
            yield from _members(members, f"{prefix}[and][{number}]", logical)
        else:
            yield from _leaf(one, prefix)


def _members(members: Iterable[Mapping[str, Any]], prefix: str, logical: str) -> Iterator[tuple[str, str]]:
    for number, member in enumerate(members):
        yield from _leaf(member, f"{prefix}[{logical}][{number}]")


def _leaf(one: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    value = one.get("value")
    if isinstance(value, Mapping) and set(value) == {"value"}:
        value = value["value"]
    name = f"{prefix}[{one.get('field')}][{one.get('operation')}]"
    if isinstance(value, Mapping):
        yield from ((f"{name}[{key}]", _text(each)) for key, each in value.items())
    else:
        yield name, _text(value)


def _text(value: object) -> str:
    match value:
        case list():
            return ",".join(map(_text, value))
        case None:
            return ""
        case bool():
            return str(value).lower()
    return str(value)


_TRIGGERS = "/api/v1/{tenant}/triggers"
_MANY_NAMES = json_of(list[shapes.TriggerName])


TABLE = (
    Operation(
        "POST",
        _TRIGGERS + "/set-disabled/by-triggers",
        can=("TRIGGER", "DISABLE"),
        audit="trigger:disable",
        body=json_of(shapes.TriggerSwitches),
        returns=shapes.Counted,
        run=disabled_triggers_by_ids,
    ),
    Operation(
        "POST",
        _TRIGGERS + "/set-disabled/by-query",
        can=("TRIGGER", "DISABLE"),
        audit="trigger:disable",
        asks={"disabled": bool, **FILTERS},
        returns=shapes.Counted,
        run=disabled_triggers_by_query,
    ),
    Operation(
        "POST",
        _TRIGGERS + "/unlock/by-triggers",
        can=("TRIGGER", "UNLOCK"),
        audit="trigger:unlock",
        body=_MANY_NAMES,
        returns=shapes.Counted,
        run=unlock_triggers_by_ids,
    ),
    Operation(
        "POST",
        _TRIGGERS + "/unlock/by-query",
        can=("TRIGGER", "UNLOCK"),
        audit="trigger:unlock",
        asks=FILTERS,
        returns=shapes.Counted,
        run=unlock_triggers_by_query,
    ),
    Operation(
        "DELETE",
        _TRIGGERS + "/delete/by-triggers",
        can=("TRIGGER", "DELETE"),
        audit="trigger:delete",
        body=_MANY_NAMES,
        returns=shapes.Counted,
        run=delete_triggers_by_ids,
    ),
    Operation(
        "DELETE",
        _TRIGGERS + "/delete/by-query",
        can=("TRIGGER", "DELETE"),
        audit="trigger:delete",
        body=json_of(shapes.TriggerQuery),
        returns=shapes.Counted,
        run=delete_triggers_by_query,
    ),
)
