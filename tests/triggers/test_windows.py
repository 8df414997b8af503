"""Time windows: where they begin and end, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from casemate.triggers import Bounds, TimeWindow, bounds, read_window

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 5, 1, 12, 7, 30, 500_000, UTC)
TICK = timedelta(milliseconds=1)

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(found: Bounds | None) -> tuple[str, str] | None:
    return found and tuple(f"{each:%d %H:%M:%S.%f}"[:-3] for each in (found.start, found.end))  # type: ignore[return-value] # two of them


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        ({}, "01 00:00:00.000", "01 23:59:59.999"),
        ({"window": "P1D", "windowAdvance": "-PT4H"}, "30 20:00:00.000", "01 19:59:59.999"),
        ({"window": "P1D", "windowAdvance": "PT14H"}, "30 14:00:00.000", "01 13:59:59.999"),
        ({"window": "P3D"}, "01 00:00:00.000", "03 23:59:59.999"),
        ({"window": "PT1H"}, "01 12:00:00.000", "01 12:59:59.999"),
        ({"window": "PT1H", "windowAdvance": "-PT4H"}, "01 12:00:00.000", "01 12:59:59.999"),
        ({"window": "PT1H", "windowAdvance": "PT10M"}, "01 11:10:00.000", "01 12:09:59.999"),
        ({"window": "PT6H", "windowAdvance": "PT6H"}, "01 12:00:00.000", "01 17:59:59.999"),
        ({"window": "PT6H", "windowAdvance": "PT1H"}, "01 07:00:00.000", "01 12:59:59.999"),
        ({"window": "PT15M"}, "01 12:00:00.000", "01 12:14:59.999"),
        ({"window": "PT15M", "windowAdvance": "-PT5M"}, "01 11:55:00.000", "01 12:09:59.999"),
        ({"window": "PT5M"}, "01 12:05:00.000", "01 12:09:59.999"),
        ({"window": "PT20S"}, "01 12:07:20.000", "01 12:07:39.999"),
        ({"type": "SLIDING_WINDOW"}, "01 12:07:30.500", "02 12:07:30.499"),
        ({"type": "SLIDING_WINDOW", "window": "PT10M"}, "01 12:07:30.500", "01 12:17:30.499"),
        ({"type": "DAILY_TIME_DEADLINE", "deadline": "13:00:00"}, "01 00:00:00.000", "01 12:59:59.999"),
        (
            {"type": "DAILY_TIME_WINDOW", "startTime": "12:00:00", "endTime": "12:10:00"},
            "01 12:00:00.000",
            "01 12:09:59.999",
        ),
        (
            {"type": "DAILY_TIME_WINDOW", "startTime": "22:00:00", "endTime": "13:00:00"},
            "30 22:00:00.000",
            "01 12:59:59.999",
        ),
        (
            {"type": "DAILY_TIME_WINDOW", "startTime": "12:00:00", "endTime": "06:00:00"},
            "01 12:00:00.000",
            "02 05:59:59.999",
        ),
    ],
)
def test_the_window_that_is_open_at_noon(written: dict[str, str], start: str, end: str):
    assert shown(bounds(read_window(written), NOON, UTC)) == (start, end)


@pytest.mark.parametrize(
    "written",
    [
        {"type": "DAILY_TIME_DEADLINE", "deadline": "12:00:00"},
        {"type": "DAILY_TIME_DEADLINE", "deadline": "00:00:00"},
        {"type": "DAILY_TIME_WINDOW", "startTime": "06:00:00", "endTime": "09:00:00"},
        {"type": "DAILY_TIME_WINDOW", "startTime": "13:00:00", "endTime": "14:00:00"},
        {"type": "DAILY_TIME_WINDOW", "startTime": "22:00:00", "endTime": "06:00:00"},
        {"window": "PT0S"},
        {"window": "-PT1H"},
        {"type": "SLIDING_WINDOW", "window": "-PT1H"},
    ],
)
def test_no_window_is_open_at_noon(written: dict[str, str]):
    assert bounds(read_window(written), NOON, UTC) is None


def test_a_window_may_be_said_outside_of_a_time_window():
    older = {"window": "PT1H", "windowAdvance": None}
    assert read_window(None, older) == TimeWindow(length=timedelta(hours=1))
    assert read_window({"window": "PT2H"}, older) == TimeWindow(length=timedelta(hours=2))


def test_times_of_day_are_those_of_the_zone():
    deadline = read_window({"type": "DAILY_TIME_DEADLINE", "deadline": "09:00:00"})
    assert shown(bounds(deadline, at("2026-07-01T06:59:59"), PARIS)) == ("30 22:00:00.000", "01 06:59:59.999")
    assert bounds(deadline, at("2026-07-01T07:00:00"), PARIS) is None


def test_a_window_ends_one_millisecond_before_the_next():
    day = read_window({})
    found = bounds(day, NOON, UTC)
    assert found is not None
    last = found.end + TICK - timedelta(microseconds=1)
    assert found.hold(found.start)
    assert found.hold(last)
    assert not found.hold(found.end + TICK)
    assert bounds(day, last, UTC) == found
    after = bounds(day, found.end + TICK, UTC)
    assert after is not None
    assert after.start == found.end + TICK


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-03-29T12:00:00", "28 23:00:00.000", "29 21:59:59.999"),  # 23 hours
        ("2026-10-25T12:00:00", "24 22:00:00.000", "25 22:59:59.999"),  # 25 hours
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(now: str, start: str, end: str):
    assert shown(bounds(read_window({}), at(now), PARIS)) == (start, end)


def test_an_hour_that_is_there_twice_has_two_windows():
    hour = read_window({"window": "PT1H"})
    first, second = (bounds(hour, at(f"2026-10-25T0{number}:30:00"), PARIS) for number in (0, 1))
    assert shown(first) == ("25 00:00:00.000", "25 00:59:59.999")
    assert shown(second) == ("25 01:00:00.000", "25 01:59:59.999")


moments = some.datetimes(NOON.replace(year=2009, tzinfo=None), NOON.replace(year=2030, tzinfo=None)).map(
    lambda each: each.replace(tzinfo=UTC)
)
changes = some.sampled_from(
    ("2026-03-29T01:00:00", "2026-10-25T01:00:00", "2011-12-30T10:00:00", "2026-04-04T15:00:00")
)
near = some.builds(lambda change, by: at(change) + by, changes, some.timedeltas(-timedelta(days=1), timedelta(days=1)))
lengths = some.timedeltas(timedelta(milliseconds=1), timedelta(days=9))
advances = some.timedeltas(-timedelta(days=3), timedelta(days=3))


@given(moments | near, lengths, advances, some.sampled_from(ZONES))
def test_every_moment_is_in_a_window_of_its_own(now: datetime, length: timedelta, advance: timedelta, zone: str):
    window = TimeWindow(length=length, advance=advance)
    found = bounds(window, now, ZoneInfo(zone))
    assert found is not None
    assert found.hold(now)
    assert found.end - found.start + TICK <= length + timedelta(days=1)


@given(
    moments | near, some.sampled_from([1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]), advances, some.sampled_from(ZONES)
)
def test_windows_that_divide_the_hour_follow_one_another(now: datetime, minutes: int, advance: timedelta, zone: str):
    window = TimeWindow(length=timedelta(minutes=minutes), advance=timedelta(minutes=advance // timedelta(minutes=1)))
    found = bounds(window, now, ZoneInfo(zone))
    assert found is not None
    assert found.end - found.start + TICK == window.length
    following = bounds(window, found.end + TICK, ZoneInfo(zone))
    before = bounds(window, found.start - TICK, ZoneInfo(zone))
    assert following is not None
    assert before is not None
    if zone != "Australia/Lord_Howe":  # its clocks are set by half an hour
        assert following.start == found.end + TICK
        assert before.end == found.start - TICK
