"""A schedule by what its flow says, and what becomes of its record when something happens (spec/engine 9.2, 9.5).

Each of these functions gives the record as it is to be after what its name says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final, Literal, TypeAlias

from casemate import durations
from casemate.expressions import moment_of, offset_date_time, zone_of
from casemate.flows import Condition, Trigger
from casemate.identifiers import ExecutionId
from casemate.triggers.dates import Cron, Dates, Listed, listed
from casemate.triggers.looking import Rule, is_dated, neighbour, next_date, rules_of
from casemate.triggers.model import ON_DATES, TriggerState

Recover: TypeAlias = Literal["ALL", "LAST", "NONE"]
"""Which of the dates that passed while no scheduler ran are made up for."""

_RECOVER: Final[Mapping[object, Recover]] = {"ALL": "ALL", "LAST": "LAST", "NONE": "NONE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What a Schedule or ScheduleOnDates says.

    `rules` are those of its conditions that the date alone decides, `others` the rest: those are asked at the date.
    Dates that are more than `late` ago are left out.
    """

    dates: Dates
    recover: Recover = "ALL"
    late: timedelta | None = None
    rules: tuple[Rule, ...] = ()
    others: tuple[Condition, ...] = ()

    def next_date(self, moment: datetime) -> datetime | None:
        """The first date after that moment that may start an execution."""
        return next_date(self.dates, self.rules, moment)


def schedule_of(trigger: Trigger, zone: tzinfo, written: Sequence[str] = (), recover: Recover = "ALL") -> Schedule:
    """The schedule of a trigger; `zone` is the server's, `written` the rendered dates of a ScheduleOnDates.

    `recover` counts where the trigger does not say. Raises `ExpressionError` for a date that is none.
    """
    named = trigger.properties.get("timezone")
    own = zone_of(str(named)) if named else zone
    late = trigger.properties.get("lateMaximumDelay")
    return Schedule(
        dates=_dates(trigger, own, written),
        recover=_RECOVER.get(trigger.properties.get("recoverMissedSchedules"), recover),
        late=durations.parse(str(late)) if late else None,
        rules=rules_of(trigger.conditions, zone),
        others=tuple(each for each in trigger.conditions if not is_dated(each)),
    )


def _dates(trigger: Trigger, zone: tzinfo, written: Sequence[str]) -> Dates:
    if trigger.canonical == ON_DATES:
        return listed([moment_of(each, zone) for each in written], zone)
    return Cron(str(trigger.properties["cron"]), zone)


def variables(schedule: Schedule, date: datetime, hold: Callable[[datetime], bool]) -> dict[str, str]:
    """What templates see under `trigger` and `schedule`: the date, the next and the previous one that would start it.

    `hold` says whether the conditions that the date alone does not decide would hold.
    """
    found = {
        "date": date,
        "next": neighbour(schedule.dates, schedule.rules, date, hold, back=False),
        "previous": neighbour(schedule.dates, schedule.rules, date, hold, back=True),
    }
    zone = schedule.dates.zone
    return {name: offset_date_time(each.astimezone(zone)) for name, each in found.items() if each is not None}


def planned(state: TriggerState, schedule: Schedule, now: datetime) -> TriggerState:
    """Its first date: after now, or of a list the first that was not evaluated, even if it is past."""
    if isinstance(schedule.dates, Listed):
        upcoming = next_date(schedule.dates, schedule.rules, state.date) if state.date else _first(schedule)
    else:
        upcoming = schedule.next_date(now)
    return aimed(replace(state, planned=True), schedule, upcoming)


def _first(schedule: Schedule) -> datetime | None:
    dates = schedule.dates
    assert isinstance(dates, Listed), "only lists have a first date"
    return next(
        (each for each in dates.dates if not any(rule.forbids(each, dates.zone) for rule in schedule.rules)), None
    )


def aimed(state: TriggerState, schedule: Schedule, upcoming: datetime | None) -> TriggerState:
    """Its next ordinary date is this one; a backfill at work keeps it for later."""
    backfill = state.backfill
    if backfill is None or backfill.paused:
        return replace(state, next_date=upcoming)
    current = schedule.next_date(backfill.current - timedelta.resolution)
    if current is None or current > backfill.end:
        return replace(state, next_date=upcoming, backfill=None)
    return replace(state, next_date=current, backfill=replace(backfill, current=current, previous_next=upcoming))


def recovered(state: TriggerState, schedule: Schedule, now: datetime) -> TriggerState:
    """At the start of a scheduler: dates that passed while none ran are all kept, or but the last, or none."""
    date = state.next_date
    if state.backfill is not None and not state.backfill.paused:
        ordinary = _recovered(state.backfill.previous_next, schedule, now)
        return replace(state, backfill=replace(state.backfill, previous_next=ordinary))
    return replace(state, next_date=_recovered(date, schedule, now))


def _recovered(date: datetime | None, schedule: Schedule, now: datetime) -> datetime | None:
    if date is None or date > now or schedule.recover == "ALL":
        return date
    if schedule.recover == "NONE":
        return schedule.next_date(now)
    return neighbour(schedule.dates, schedule.rules, now + timedelta.resolution, lambda _: True, back=True) or date


def caught_up(state: TriggerState, schedule: Schedule, now: datetime) -> TriggerState:
    """Dates that are too late already are left out; those of a backfill never are."""
    at_work = state.backfill is not None and not state.backfill.paused
    date = state.next_date
    if schedule.late is None or at_work or date is None or date >= now - schedule.late:
        return state
    return replace(state, next_date=schedule.next_date(now - schedule.late - timedelta.resolution))


def passed(state: TriggerState, schedule: Schedule, now: datetime) -> TriggerState:
    """Its date was evaluated, and the one after it comes next."""
    date, backfill = state.next_date, state.backfill
    assert date is not None, "only what is due is evaluated"
    after = schedule.next_date(date)
    state = replace(state, date=date, evaluated=now, evaluating_since=None)
    if backfill is None or backfill.paused:
        return replace(state, next_date=after)
    if after is None or after > backfill.end:
        return replace(state, next_date=backfill.previous_next, backfill=None)
    return replace(state, next_date=after, backfill=replace(backfill, current=after))


def fired(state: TriggerState, execution: ExecutionId, now: datetime) -> TriggerState:
    """It started this execution."""
    return replace(state, execution_id=execution, triggered=now)


def released(state: TriggerState, ended: str | None) -> TriggerState:
    """The execution that it started last is over, in this state, or gone; in some states it stops the trigger."""
    return replace(state, execution_id=None, disabled=state.disabled or ended in state.stop_after)
