"""What becomes of the record of a schedule: planned, evaluated, made up for, switched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Refused
from casemate.flows import Condition, Label, Trigger
from casemate.identifiers import MAIN, ExecutionId, FlowId, Namespace
from casemate.triggers import (
    ON_DATES,
    SCHEDULE,
    TriggerState,
    backfilled,
    caught_up,
    fired,
    passed,
    paused,
    planned,
    recovered,
    released,
    restarted,
    schedule_of,
    switched,
    unlocked,
    unpaused,
    variables,
    without_backfill,
)

NOW = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
MOST = 20_000  # dates that one search looks at
HOUR = timedelta(hours=1)

STATE = TriggerState(
    tenant=MAIN,
    namespace=Namespace("company.team"),
    flow_id=FlowId("timed"),
    trigger_id="t",
    kind="SCHEDULE",
    definition="",
    updated=NOW,
)


def schedule(cron: str = "0 * * * *", conditions: tuple[Condition, ...] = (), **properties: object):
    trigger = Trigger(
        id="t", type=SCHEDULE, canonical=SCHEDULE, properties={"cron": cron, **properties}, conditions=conditions
    )
    return schedule_of(trigger, UTC)


def on_dates(*dates: str):
    return schedule_of(Trigger(id="t", type=ON_DATES, canonical=ON_DATES), UTC, dates)


def condition(kind: str, **properties: object) -> Condition:
    return Condition(canonical=f"io.kestra.plugin.core.condition.{kind}", properties=properties)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def always(_: datetime) -> bool:
    return True


def due(date: datetime, **more) -> TriggerState:
    return replace(STATE, planned=True, next_date=date, **more)


def test_a_new_schedule_begins_with_the_next_date():
    state = planned(STATE, schedule(), NOW)
    assert (state.planned, state.next_date) == (True, at("2026-05-01T13:00:00Z"))


def test_a_list_of_dates_begins_with_the_first_even_if_it_is_past():
    dates = on_dates("2026-06-01T00:00:00Z", "2020-01-01T00:00:00")
    state = planned(STATE, dates, NOW)
    assert state.next_date == at("2020-01-01T00:00:00Z")
    state = passed(state, dates, NOW)
    assert state.next_date == at("2026-06-01T00:00:00Z")
    assert planned(state, dates, NOW).next_date == at("2026-06-01T00:00:00Z")
    assert passed(state, dates, NOW).next_date is None


def test_a_date_that_was_evaluated_is_followed_by_the_next():
    state = passed(due(at("2026-05-01T12:00:00Z"), evaluating_since=NOW), schedule(), NOW)
    assert (state.date, state.next_date) == (at("2026-05-01T12:00:00Z"), at("2026-05-01T13:00:00Z"))
    assert (state.evaluated, state.evaluating_since) == (NOW, None)


def test_days_that_conditions_forbid_are_skipped():
    weekend = condition("Weekend", date="{{ trigger.date }}")
    assert planned(STATE, schedule(conditions=(weekend,)), NOW).next_date == at("2026-05-02T00:00:00Z")


def test_conditions_that_need_more_than_the_date_are_left_for_it():
    flag = condition("Expression", expression="{{ kv('flag') }}")
    found = schedule(conditions=(flag,))
    assert found.others == (flag,)
    assert planned(STATE, found, NOW).next_date == at("2026-05-01T13:00:00Z")


def test_a_search_that_gets_too_long_goes_on_from_the_date_it_has_come_to():
    never = condition("TimeBetween", date="{{ trigger.date }}", after="23:00:00Z", before="01:00:00Z")
    state = planned(STATE, schedule("* * * * * *", (never,), withSeconds=True), NOW)
    assert state.next_date == NOW + timedelta(seconds=MOST)


def test_what_templates_see():
    first_monday = condition("DayWeekInMonth", date="{{ trigger.date }}", dayOfWeek="MONDAY", dayInMonth="FIRST")
    found = schedule("0 12 * * 1", (first_monday,), timezone="Europe/Paris")
    assert variables(found, at("2021-08-02T12:00:00+02:00"), always) == {
        "date": "2021-08-02T12:00:00+02:00",
        "next": "2021-09-06T12:00:00+02:00",
        "previous": "2021-07-05T12:00:00+02:00",
    }


def test_dates_are_shown_in_the_zone_of_the_trigger():
    found = schedule("12 9 1 * *", timezone="America/New_York")
    assert variables(found, at("2022-04-01T13:12:00Z"), always)["date"] == "2022-04-01T09:12:00-04:00"


def test_next_is_absent_when_no_date_within_ten_years_would_do():
    soon = condition("DateTimeBetween", date="{{ trigger.date }}", before="2026-05-02T00:00:00Z")
    seen = variables(schedule("@daily", (soon,)), at("2026-05-01T00:00:00Z"), always)
    assert sorted(seen) == ["date", "previous"]
    assert sorted(variables(schedule("@daily"), NOW, lambda date: date < NOW)) == ["date", "previous"]


def test_dates_that_are_too_late_are_left_out():
    found = schedule("* * * * *", lateMaximumDelay="PT5M")
    state = caught_up(due(NOW - timedelta(minutes=15)), found, NOW)
    assert state.next_date == (NOW - timedelta(minutes=4)).replace(second=0)
    assert caught_up(state, found, NOW) == state


@pytest.mark.parametrize(
    ("recover", "date"),
    [("ALL", "2026-05-01T09:00:00Z"), ("LAST", "2026-05-01T12:00:00Z"), ("NONE", "2026-05-01T13:00:00Z")],
)
def test_missed_dates_at_a_start(recover: str, date: str):
    found = schedule(recoverMissedSchedules=recover)
    assert recovered(due(at("2026-05-01T09:00:00Z")), found, NOW).next_date == at(date)
    assert recovered(due(NOW + HOUR), found, NOW).next_date == NOW + HOUR


def test_what_is_configured_counts_where_the_trigger_does_not_say():
    trigger = Trigger(id="t", type=SCHEDULE, canonical=SCHEDULE, properties={"cron": "0 * * * *"})
    assert schedule_of(trigger, UTC, recover="NONE").recover == "NONE"
    own = replace(trigger, properties={**trigger.properties, "recoverMissedSchedules": "ALL"})
    assert schedule_of(own, UTC, recover="NONE").recover == "ALL"


def test_the_end_of_its_execution_lets_it_go_on_or_stops_it():
    state = fired(due(NOW), ExecutionId("e"), NOW)
    assert state.locked
    assert not released(state, "SUCCESS").locked
    stopped = released(replace(state, stop_after=("FAILED",)), "FAILED")
    assert stopped.disabled
    assert not released(replace(state, stop_after=("FAILED",)), "SUCCESS").disabled


# ---- backfills


def run_out(state: TriggerState, found, limit: int = 50) -> tuple[list[datetime], TriggerState]:
    """The dates that a backfill evaluates, and the record after it."""
    dates = []
    while state.backfill is not None and len(dates) < limit:
        assert state.next_date is not None
        dates.append(state.next_date)
        state = passed(state, found, NOW)
    return dates, state


def test_a_backfill_evaluates_every_date_from_start_to_end_then_the_ordinary_ones_go_on():
    found, state = schedule(), due(NOW + HOUR)
    state = backfilled(
        state, found, at("2026-01-01T00:00:00Z"), at("2026-01-01T03:00:00Z"), {"a": 1}, [Label("b", "c")]
    )
    dates, after = run_out(state, found)
    assert [date.hour for date in dates] == [0, 1, 2, 3]
    assert (after.backfill, after.next_date) == (None, NOW + HOUR)


def test_a_backfill_begins_with_the_first_date_that_is_due():
    state = backfilled(due(NOW), schedule("0 8 * * *"), at("2026-01-01T00:00:00Z"), at("2026-01-01T23:59:59Z"), {}, [])
    assert state.next_date == at("2026-01-01T08:00:00Z")


def test_a_backfill_without_dates_is_over_at_once():
    state = backfilled(due(NOW), schedule("0 8 * * *"), at("2026-01-01T09:00:00Z"), at("2026-01-01T10:00:00Z"), {}, [])
    assert (state.backfill, state.next_date) == (None, NOW)


def test_a_paused_backfill_lets_the_ordinary_dates_go_on_and_comes_back_where_it_was():
    found = schedule()
    state = backfilled(due(NOW + HOUR), found, at("2026-01-01T00:00:00Z"), at("2026-01-01T03:00:00Z"), {}, [])
    state = paused(passed(state, found, NOW))
    assert state.next_date == NOW + HOUR
    assert paused(state) == state
    state = passed(state, found, NOW)
    assert state.backfill is not None
    state = unpaused(state)
    dates, after = run_out(state, found)
    assert [date.hour for date in dates] == [1, 2, 3]
    assert after.next_date == at("2026-05-01T14:00:00Z")


def test_a_deleted_backfill_leaves_the_ordinary_dates():
    state = backfilled(due(NOW), schedule(), at("2026-01-01T00:00:00Z"), at("2026-01-01T03:00:00Z"), {}, [])
    assert without_backfill(state) == due(NOW)
    assert without_backfill(paused(state)) == due(NOW)


def test_there_is_one_backfill_at_a_time_and_it_starts_before_it_ends():
    state = backfilled(due(NOW), schedule(), at("2026-01-01T00:00:00Z"), at("2026-01-01T03:00:00Z"), {}, [])
    with pytest.raises(Refused, match="already"):
        backfilled(state, schedule(), NOW, NOW, {}, [])
    with pytest.raises(Refused, match="before it ends"):
        backfilled(due(NOW), schedule(), NOW, NOW - HOUR, {}, [])
    for action in (paused, unpaused, without_backfill):
        with pytest.raises(Refused, match="no backfill"):
            action(due(NOW))


def test_a_start_of_the_scheduler_and_lateness_leave_backfills_alone():
    found = schedule(recoverMissedSchedules="NONE", lateMaximumDelay="PT1M")
    state = backfilled(due(NOW - 3 * HOUR), found, at("2026-01-01T00:00:00Z"), at("2026-01-01T03:00:00Z"), {}, [])
    assert recovered(state, found, NOW).next_date == at("2026-01-01T00:00:00Z")
    assert caught_up(state, found, NOW) == state
    assert run_out(recovered(state, found, NOW), found)[1].next_date == at("2026-05-01T13:00:00Z")


# ---- switching


def test_switched_on_again_it_is_planned_anew_unless_missed_dates_are_wanted():
    off = switched(due(NOW), disabled=True)
    assert (off.disabled, off.planned) == (True, True)
    assert not switched(off, disabled=False).planned
    assert switched(off, disabled=False, recover=True) == due(NOW)
    assert switched(off, disabled=True) == off


def test_unlocked_and_restarted():
    held = due(NOW, execution_id=ExecutionId("e"), evaluating_since=NOW, disabled=True)
    assert unlocked(held) == due(NOW, disabled=True)
    assert restarted(held) == replace(STATE, next_date=NOW)


# ---- as a machine


ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"])
EXPRESSIONS = st.sampled_from(["0 * * * *", "30 2 * * *", "*/20 1-3 * * *", "15 */2 * * *"])


@given(EXPRESSIONS, ZONES, st.lists(st.integers(0, 5), max_size=12), st.integers(0, 400))
def test_each_date_is_evaluated_once_and_in_order(expression: str, zone: str, steps: list[int], day: int):
    """Whatever happens between: a start of the scheduler, a backfill that is made, paused, taken up, given up."""
    found = schedule(expression, timezone=zone)
    now = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day)
    state = planned(STATE, found, now)
    ordinary: list[datetime] = []
    for step in steps:
        state = moved(state, found, step, now, ordinary)
    expected = [] if not ordinary else dates_between(found, ordinary[0], ordinary[-1])
    assert ordinary == expected


def moved(state: TriggerState, found, step: int, now: datetime, ordinary: list[datetime]) -> TriggerState:
    at_work = state.backfill is not None and not state.backfill.paused
    match step:
        case 0 if state.backfill is None:
            return backfilled(state, found, now - timedelta(days=1), now, {}, [])
        case 1 if at_work:
            return paused(state)
        case 2 if state.backfill is not None and state.backfill.paused:
            return unpaused(state)
        case 3 if state.backfill is not None:
            return without_backfill(state)
        case 4:
            return recovered(state, found, now)
    if not at_work and state.next_date is not None:
        ordinary.append(state.next_date)
    return passed(state, found, now)


def dates_between(found, first: datetime, last: datetime) -> list[datetime]:
    dates = [first]
    while dates[-1] < last:
        dates.append(found.next_date(dates[-1]))
    return dates


def test_a_zone_is_any_that_java_knows():
    assert schedule(timezone="+02:00").dates.zone.utcoffset(NOW) == timedelta(hours=2)
    assert schedule(timezone="Europe/Paris").dates.zone == ZoneInfo("Europe/Paris")
