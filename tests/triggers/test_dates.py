"""The dates of schedules: each once, in their order, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.triggers import Cron, listed

PARIS = ZoneInfo("Europe/Paris")
ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
EXPRESSIONS = st.sampled_from(
    ["* * * * *", "30 2 * * *", "0 * * * *", "15 1-3 * * *", "*/7 2 * * *", "0 0 1 * *", "0 12 * * 1", "*/20 * * * * *"]
)
MOMENTS = st.integers(0, 10 * 366 * 86400).map(
    lambda later: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=later)
)
TURNS = st.sampled_from(
    [datetime(2026, 3, 29, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC)]
).flatmap(lambda turn: st.timedeltas(timedelta(0), timedelta(hours=3)).map(lambda later: turn + later))


def shown(dates, zone=PARIS) -> list[str]:
    return [date.astimezone(zone).isoformat() for date in dates]


@pytest.mark.parametrize(
    ("expression", "moment", "first"),
    [
        ("* * * * *", "2026-05-01T12:00:30+00:00", "2026-05-01T12:01:00+00:00"),
        ("* * * * *", "2026-05-01T12:00:00+00:00", "2026-05-01T12:01:00+00:00"),
        ("0 0 * * *", "2026-05-01T12:00:00+00:00", "2026-05-02T00:00:00+00:00"),
        ("@hourly", "2026-05-01T12:00:00+00:00", "2026-05-01T13:00:00+00:00"),
        ("@weekly", "2026-05-01T12:00:00+00:00", "2026-05-03T00:00:00+00:00"),
        ("0 0 * * 7", "2026-05-01T12:00:00+00:00", "2026-05-03T00:00:00+00:00"),
        ("*/5 * * * * *", "2026-05-01T12:00:01.5+00:00", "2026-05-01T12:00:05+00:00"),
        ("0 0 29 2 *", "2026-05-01T12:00:00+00:00", "2028-02-29T00:00:00+00:00"),
    ],
)
def test_the_first_date_after_a_moment(expression: str, moment: str, first: str):
    assert next(Cron(expression, UTC).after(datetime.fromisoformat(moment))).isoformat() == first


def test_a_time_that_summer_skips_comes_at_once_after_it():
    dates = islice(Cron("30 2 * * *", PARIS).after(datetime(2026, 3, 28, tzinfo=UTC)), 3)
    assert shown(dates) == ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]


def test_a_time_that_comes_twice_counts_once():
    dates = islice(Cron("30 2 * * *", PARIS).after(datetime(2026, 10, 24, 12, tzinfo=UTC)), 2)
    assert shown(dates) == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]


def test_every_hour_is_every_hour_though_clocks_are_turned_back():
    dates = list(islice(Cron("0 * * * *", PARIS).after(datetime(2026, 10, 24, 22, tzinfo=UTC)), 5))
    assert [after - before for before, after in pairwise(dates)] == [timedelta(hours=1)] * 4


@given(EXPRESSIONS, ZONES, MOMENTS | TURNS)
def test_dates_come_in_their_order_and_each_once(expression: str, zone: str, moment: datetime):
    dates = list(islice(Cron(expression, ZoneInfo(zone)).after(moment), 20))
    assert moment < dates[0]
    assert all(before < after for before, after in pairwise(dates))


@given(EXPRESSIONS, ZONES, MOMENTS | TURNS)
def test_going_on_from_a_date_leads_to_the_one_after_it(expression: str, zone: str, moment: datetime):
    cron = Cron(expression, ZoneInfo(zone))
    together = list(islice(cron.after(moment), 8))
    one_by_one = [moment]
    for _ in together:
        one_by_one.append(next(cron.after(one_by_one[-1])))
    assert one_by_one[1:] == together


@given(EXPRESSIONS, ZONES, MOMENTS | TURNS)
def test_the_date_before_the_next_one_is_the_one_before(expression: str, zone: str, moment: datetime):
    cron = Cron(expression, ZoneInfo(zone))
    first, second = islice(cron.after(moment), 2)
    assert next(cron.before(second)) == first


def test_a_list_is_sorted_and_each_date_counts_once():
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    dates = listed([late, early, late.astimezone(PARIS)], PARIS)
    assert list(dates.after(early - timedelta(1))) == [early, late]
    assert list(dates.after(early)) == [late]
    assert list(dates.before(late)) == [early]
