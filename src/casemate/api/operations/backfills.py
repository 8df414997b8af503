"""Operations on backfills, of one trigger or of many."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.operation import Answer, Body, Operation, Permission, Run, Verb, json_of
from casemate.api.operations.trigger_bulk import Act, actions, each, named
from casemate.api.operations.triggers import found_by, key_of, shown
from casemate.api.search import FILTERS
from casemate.flows import Label
from casemate.triggers import TriggerKey, TriggerState

_NAME = shapes.TriggerName
_BACKFILL = shapes.BackfillAsked
_YEARS = range(1970, 3000)


async def create_backfill(call: Call) -> Answer:
    """Make up for the dates of a trigger between two moments."""
    asked = await call.body_json(_BACKFILL)
    given = asked["backfill"]
    labels = [Label(one["key"], one["value"]) for one in given.get("labels") or ()]
    start, until = _moment(given["start"]), given.get("end")
    end = _moment(until) if until else None
    return shown(await actions(call).backfill(key_of(call, asked), start, end, given.get("inputs"), labels))


async def pause_backfill(call: Call) -> Answer:
    """Let the backfill of a trigger wait."""
    return shown(await actions(call).pause_backfill(await _one(call)))


async def unpause_backfill(call: Call) -> Answer:
    """Let the backfill of a trigger go on."""
    return shown(await actions(call).unpause_backfill(await _one(call)))


async def delete_backfill(call: Call) -> Answer:
    """Give up the backfill of a trigger."""
    return shown(await actions(call).delete_backfill(await _one(call)))


async def pause_backfill_by_ids(call: Call) -> Answer:
    """Let the backfills of the triggers that are named wait."""
    return await _changed(call, await named(call), actions(call).pause_backfill)


async def pause_backfill_by_query(call: Call) -> Answer:
    """Let the backfills of the triggers that a search finds wait."""
    return await _changed(call, await found_by(call), actions(call).pause_backfill)


async def unpause_backfill_by_ids(call: Call) -> Answer:
    """Let the backfills of the triggers that are named go on."""
    return await _changed(call, await named(call), actions(call).unpause_backfill)


async def unpause_backfill_by_query(call: Call) -> Answer:
    """Let the backfills of the triggers that a search finds go on."""
    return await _changed(call, await found_by(call), actions(call).unpause_backfill)


async def delete_backfill_by_ids(call: Call) -> Answer:
    """Give up the backfills of the triggers that are named."""
    return await _changed(call, await named(call), actions(call).delete_backfill)


async def delete_backfill_by_query(call: Call) -> Answer:
    """Give up the backfills of the triggers that a search finds."""
    return await _changed(call, await found_by(call), actions(call).delete_backfill)


async def _changed(call: Call, states: Iterable[TriggerState], act: Act) -> Answer:
    return await each((one.key for one in states if one.backfill is not None), act)


async def _one(call: Call) -> TriggerKey:
    name = await call.body_json(_NAME)
    return key_of(call, name)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise illegal_argument(f"{text[:100]!r} is no date: write it like 2026-12-31T23:59:59Z") from error
    # At the ends of the calendar there is no moment before or after: see test_a_backfill_at_the_end_of_time.
    if moment.year not in _YEARS:
        raise illegal_argument(f"{text[:100]!r} is not between the years {_YEARS[0]} and {_YEARS[-1]}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_BACKFILLS = "/api/v1/{tenant}/triggers/backfill"
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
    _of_one("PUT", "create", json_of(shapes.BackfillAsked), create_backfill),
    _of_one("PUT", "pause", _ONE_NAME, pause_backfill),
    _of_one("PUT", "unpause", _ONE_NAME, unpause_backfill),
    _of_one("POST", "delete", _ONE_NAME, delete_backfill),
    *_of_many("pause", pause_backfill_by_ids, pause_backfill_by_query),
    *_of_many("unpause", unpause_backfill_by_ids, unpause_backfill_by_query),
    *_of_many("delete", delete_backfill_by_ids, delete_backfill_by_query),
)
