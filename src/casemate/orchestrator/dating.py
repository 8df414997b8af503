"""What a trigger by dates says, and the execution that one of its dates starts, if its conditions hold."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from casemate.executions import Context, Execution, Grounds, holds
from casemate.expressions import ExpressionError, offset_date_time, printed
from casemate.flows import Flow, Trigger
from casemate.masking import Mask
from casemate.orchestrator.errors import NotFound
from casemate.orchestrator.shelf import Shelf
from casemate.orchestrator.starting import Fill, Starting
from casemate.sealed import opened
from casemate.triggers import ON_DATES, Recover, Schedule, TriggerState, schedule_of, variables

_TRIES = 1_000
_SECONDS = 2.0
"""Dates for which conditions are rendered in the search for the next and the previous one, and its time."""


@dataclass(frozen=True, slots=True)
class Found:
    """A trigger as its flow says it. `schedule` is None for one that does not go by dates."""

    flow: Flow
    trigger: Trigger
    schedule: Schedule | None

    @property
    def active(self) -> bool:
        """May it start anything?"""
        return not self.flow.disabled and not self.trigger.disabled


class Dating:
    """Finds out. `recover` says, by their types, which missed dates are made up for where triggers do not say."""

    def __init__(self, shelf: Shelf, starting: Starting, context: Context, recover: Mapping[str, Recover]) -> None:
        self._shelf = shelf
        self._starting = starting
        self._zone = context.zone
        self._unseal = context.unseal
        self._recover = recover

    async def find(self, state: TriggerState) -> Found:
        """The trigger of a record. Raises `NotFound`, and `Refused` if its flow is no longer valid."""
        flow = await self._shelf.latest(state.tenant, state.namespace, state.flow_id)
        trigger = next((each for each in flow.triggers if each.id == state.trigger_id), None)
        if trigger is None:
            raise NotFound(f"Unable to find trigger {state.trigger_id} for the flow {flow.namespace}.{flow.id}")
        return Found(flow, trigger, await self._schedule(flow, trigger) if state.kind == "SCHEDULE" else None)

    async def _schedule(self, flow: Flow, trigger: Trigger) -> Schedule:
        shown = Mask()
        written = await self._dates(flow, trigger, shown) if trigger.canonical == ON_DATES else []
        try:
            return schedule_of(trigger, self._zone, written, self._recover.get(trigger.canonical, "ALL"))
        except ExpressionError as error:
            # It tells the text that is no date, whatever that was made of.
            raise ExpressionError(shown.cover(str(error))) from None

    async def _dates(self, flow: Flow, trigger: Trigger, shown: Mask) -> list[str]:
        """The dates of a ScheduleOnDates: a list whose entries may be templates, or a template that gives one."""
        bare = self._starting.bare(flow, trigger, {})
        filled = await self._starting.filled(flow, bare, trigger.properties.get("dates"), shown)
        if isinstance(filled, str):
            filled = _listed(filled)
        if not isinstance(filled, list):
            raise ExpressionError("`dates` must be a list of dates")
        return [printed(each) for each in filled]

    def bare(self, state: TriggerState, found: Found) -> Execution:
        """The execution that its date would start, with nothing rendered."""
        assert state.next_date is not None, "it is due"
        seen = {"date": _shown(state.next_date, self._zone_of(found))}
        return self._starting.bare(found.flow, found.trigger, seen, root={"schedule": seen})

    async def execution(self, state: TriggerState, found: Found) -> Execution | None:
        """The execution that its date starts, None if a condition does not hold.

        Raises `ExpressionError` for a condition or an input that fails, and what `Starting.triggered` does.
        """
        bare, schedule, date = self.bare(state, found), found.schedule, state.next_date
        assert schedule is not None, "it goes by dates"
        assert date is not None, "it is due"
        seen = await self._starting.within(found.flow, bare, lambda fill: _seen(schedule, date, self._zone, fill))
        if seen is None:
            return None
        full = self._starting.bare(found.flow, found.trigger, seen, root={"schedule": seen}, id=bare.id)
        shown = Mask()
        written = found.trigger.properties.get("inputs") or {}
        inputs = await self._starting.filled(found.flow, full, written, shown)
        assert isinstance(inputs, Mapping), "the flow was checked"
        backfill = state.backfill if state.backfill is not None and not state.backfill.paused else None
        asked = opened(backfill.inputs, self._unseal) if backfill else {}
        assert isinstance(asked, Mapping), "a map stays a map"
        return await self._starting.triggered(
            found.flow,
            found.trigger,
            seen,
            inputs={**inputs, **asked},
            labels=backfill.labels if backfill else (),
            root={"schedule": seen},
            id=bare.id,
            opened=shown,
        )

    def _zone_of(self, found: Found) -> tzinfo:
        return self._zone if found.schedule is None else found.schedule.dates.zone


def _seen(schedule: Schedule, date: datetime, zone: tzinfo, fill: Fill) -> dict[str, str] | None:
    """What templates see of the date, None if a condition does not hold on it."""
    holds_on = _conditions(schedule, zone, fill)
    allowed = all(rule.allows(date, schedule.dates.zone) for rule in schedule.rules)
    if not allowed or not holds_on(date):
        return None
    return variables(schedule, date, _searching(schedule, holds_on))


def _conditions(schedule: Schedule, zone: tzinfo, fill: Fill) -> Callable[[datetime], bool]:
    def holds_on(date: datetime) -> bool:
        seen = {"date": _shown(date, schedule.dates.zone)}
        dated = {"trigger": seen, "schedule": seen}
        grounds = Grounds(render=lambda _, template, more: fill(template, {**dated, **more}), zone=zone)
        return all(holds(grounds, "", each) for each in schedule.others)

    return holds_on


def _searching(schedule: Schedule, holds_on: Callable[[datetime], bool]) -> Callable[[datetime], bool]:
    """The same for other dates: one on which a condition fails would start nothing, and the search has an end."""
    tries, until = 0, time.monotonic() + _SECONDS

    def would_hold(date: datetime) -> bool:
        nonlocal tries
        tries += 1
        try:
            return tries <= _TRIES and time.monotonic() < until and holds_on(date)
        except ExpressionError:
            return False

    return would_hold if schedule.others else lambda _: True


def _shown(date: datetime, zone: tzinfo) -> str:
    return offset_date_time(date.astimezone(zone))


def _listed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return [each.strip() for each in text.strip().strip("[]").split(",") if each.strip()]
