"""Operations on many triggers, and on backfills of one or many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.filters import read
from casemate.api.operation import Answer, Body, Operation, Permission, Run, Verb, json_of
from casemate.api.operations.triggers import found_by, key_of, orphans, shown
from casemate.api.search import FILTERS
from casemate.errors import Refused
from casemate.flows import Label
from casemate.orchestrator import Conflict, NotFound, Triggers
from casemate.store import triggers as rows
from casemate.triggers import TriggerKey, TriggerState

MOST_AT_ONCE = 1000

_NAME = TypeAdapter(shapes.TriggerName)
_NAMES = TypeAdapter(list[shapes.TriggerName])
_SWITCHES = TypeAdapter(shapes.TriggerSwitches)
_BACKFILL = TypeAdapter(shapes.BackfillAsked)
_QUERY = TypeAdapter(shapes.TriggerQuery)

Act = Callable[[TriggerKey], Awaitable[object]]


async def disabled_triggers_by_ids(call: Call) -> Answer:
    """Switch the triggers that are named off or on."""
    asked = await call.body_json(_SWITCHES)
    recover = asked.get("recoverMissedSchedules") or False
    return await _each(_keys(call, asked["triggers"]), _switching(call, disabled=asked["disabled"], recover=recover))


async def disabled_triggers_by_query(call: Call) -> Answer:
    """Switch the triggers that a search finds off, or on."""
    found = [one for one in await found_by(call) if one.disabled != call.flag("disabled", default=True)]
    switching = _switching(call, disabled=call.flag("disabled", default=True), recover=False)
    return await _each((one.key for one in found), switching)


async def unlock_triggers_by_ids(call: Call) -> Answer:
    """Unlock those of the triggers that are named which are locked."""
    return await _unlocked(call, await _named(call))


async def unlock_triggers_by_query(call: Call) -> Answer:
    """Unlock those of the triggers that a search finds which are locked."""
    return await _unlocked(call, await found_by(call))


async def delete_triggers_by_ids(call: Call) -> Answer:
    """Forget those of the triggers that are named which their flows do not declare any more."""
    return await _each(await orphans(call, await _named(call)), _triggers(call).delete)


async def delete_triggers_by_query(call: Call) -> Answer:
    """Forget those of the triggers that a search finds which their flows do not declare any more."""
    asked = await call.body_json(_QUERY)
    criteria = read(_parameters(asked.get("filters") or (), "filters"), call.deps.now())
    return await _each(await orphans(call, await found_by(call, criteria)), _triggers(call).delete)


async def create_backfill(call: Call) -> Answer:
    """Make up for the dates of a trigger between two moments."""
    asked = await call.body_json(_BACKFILL)
    given = asked["backfill"]
    labels = [Label(one["key"], one["value"]) for one in given.get("labels") or ()]
    start, until = _moment(given["start"]), given.get("end")
    end = _moment(until) if until else None
    return shown(await _triggers(call).backfill(key_of(call, asked), start, end, given.get("inputs"), labels))


async def pause_backfill(call: Call) -> Answer:
    """Let the backfill of a trigger wait."""
    return shown(await _triggers(call).pause_backfill(await _one(call)))


async def unpause_backfill(call: Call) -> Answer:
    """Let the backfill of a trigger go on."""
    return shown(await _triggers(call).unpause_backfill(await _one(call)))


async def delete_backfill(call: Call) -> Answer:
    """Give up the backfill of a trigger."""
    return shown(await _triggers(call).delete_backfill(await _one(call)))


async def pause_backfill_by_ids(call: Call) -> Answer:
    """Let the backfills of the triggers that are named wait."""
    return await _backfills(call, await _named(call), _triggers(call).pause_backfill)


async def pause_backfill_by_query(call: Call) -> Answer:
    """Let the backfills of the triggers that a search finds wait."""
    return await _backfills(call, await found_by(call), _triggers(call).pause_backfill)


async def unpause_backfill_by_ids(call: Call) -> Answer:
    """Let the backfills of the triggers that are named go on."""
    return await _backfills(call, await _named(call), _triggers(call).unpause_backfill)


async def unpause_backfill_by_query(call: Call) -> Answer:
    """Let the backfills of the triggers that a search finds go on."""
    return await _backfills(call, await found_by(call), _triggers(call).unpause_backfill)


async def delete_backfill_by_ids(call: Call) -> Answer:
    """Give up the backfills of the triggers that are named."""
    return await _backfills(call, await _named(call), _triggers(call).delete_backfill)


async def delete_backfill_by_query(call: Call) -> Answer:
    """Give up the backfills of the triggers that a search finds."""
    return await _backfills(call, await found_by(call), _triggers(call).delete_backfill)


def _triggers(call: Call) -> Triggers:
    return call.deps.orchestrator.triggers


def _switching(call: Call, *, disabled: bool, recover: bool) -> Act:
    return lambda key: _triggers(call).switch(key, disabled=disabled, recover=recover)


async def _unlocked(call: Call, states: Iterable[TriggerState]) -> Answer:
    return await _each((one.key for one in states if one.locked), _triggers(call).unlock)


async def _backfills(call: Call, states: Iterable[TriggerState], act: Act) -> Answer:
    return await _each((one.key for one in states if one.backfill is not None), act)


async def _each(keys: Iterable[TriggerKey], act: Act) -> Answer:
    """Do it to each; how many it could be done to. What changed meanwhile so that it no longer can is left out."""
    count = 0
    for key in keys:
        try:
            await act(key)
        except (Conflict, NotFound, Refused):
            continue
        count += 1
    return {"count": count, "totalItems": count}


async def _one(call: Call) -> TriggerKey:
    name = await call.body_json(_NAME)
    return key_of(call, name)


async def _named(call: Call) -> list[TriggerState]:
    """The triggers that the body names, as far as they are there."""
    names = await call.body_json(_NAMES)
    found = [await call.deps.db.read(rows.get, key) for key in _keys(call, names)]
    return [state for state in found if state is not None]


def _keys(call: Call, names: Iterable[Mapping[str, Any]]) -> list[TriggerKey]:
    keys = list(dict.fromkeys(key_of(call, name) for name in names))
    if len(keys) > MOST_AT_ONCE:
        raise illegal_argument(f"{len(keys)} triggers are named, at most {MOST_AT_ONCE} may be")
    return keys


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise illegal_argument(f"{text[:100]!r} is no date: write it like 2026-12-31T23:59:59Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
_BACKFILLS = _TRIGGERS + "/backfill"
_CAN_BACKFILL: Permission = ("TRIGGER", "BACKFILL")
_ONE_NAME, _MANY_NAMES = json_of(shapes.TriggerName), json_of(list[shapes.TriggerName])


def _of_one(verb: Verb, word: str, body: Body, run: Run) -> Operation:
    path = f"{_BACKFILLS}/{word}"
    tag = f"trigger:backfill:{word}"
    return Operation(verb, path, can=_CAN_BACKFILL, audit=tag, body=body, returns=shapes.TriggerState, run=run)


def _of_many(word: str, by_ids: Run, by_query: Run) -> tuple[Operation, Operation]:
    path, tag = f"{_BACKFILLS}/{word}", f"trigger:backfill:{word}"
    return (
        Operation(
            "POST",
            path + "/by-triggers",
            can=_CAN_BACKFILL,
            audit=tag,
            body=_MANY_NAMES,
            returns=shapes.Counted,
            run=by_ids,
        ),
        Operation(
            "POST",
            path + "/by-query",
            can=_CAN_BACKFILL,
            audit=tag,
            asks=FILTERS,
            returns=shapes.Counted,
            run=by_query,
        ),
    )


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
    _of_one("PUT", "create", json_of(shapes.BackfillAsked), create_backfill),
    _of_one("PUT", "pause", _ONE_NAME, pause_backfill),
    _of_one("PUT", "unpause", _ONE_NAME, unpause_backfill),
    _of_one("POST", "delete", _ONE_NAME, delete_backfill),
    *_of_many("pause", pause_backfill_by_ids, pause_backfill_by_query),
    *_of_many("unpause", unpause_backfill_by_ids, unpause_backfill_by_query),
    *_of_many("delete", delete_backfill_by_ids, delete_backfill_by_query),
)
