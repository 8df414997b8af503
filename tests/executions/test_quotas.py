"""Quotas: which stretch of time a date lies in, and what becomes of one execution too many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.executions.driver import House, flow, work

from casemate.executions import QuotaExceeded, State, window_start

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "since_midnight", "begin"),
    [
        (timedelta(hours=1), timedelta(hours=13, minutes=59), timedelta(hours=13)),
        (timedelta(hours=1), timedelta(hours=14), timedelta(hours=14)),
        (timedelta(hours=7), timedelta(hours=23), timedelta(hours=21)),  # the last part of a day is short
        (timedelta(days=1), timedelta(hours=23), timedelta(0)),
        (timedelta(minutes=1), timedelta(minutes=5, seconds=59), timedelta(minutes=5)),
    ],
)
def test_a_day_is_divided_from_midnight_in_utc(length, since_midnight, begin):
    assert window_start(MIDNIGHT + since_midnight, length) == MIDNIGHT + begin
    elsewhere = (MIDNIGHT + since_midnight).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert window_start(elsewhere, length) == MIDNIGHT + begin


def test_longer_stretches_are_counted_from_1970():
    week = timedelta(days=7)
    begin = window_start(MIDNIGHT, week)
    assert begin <= MIDNIGHT < begin + week
    assert (begin - datetime(1970, 1, 1, tzinfo=UTC)) % week == timedelta(0)


@pytest.mark.parametrize(("behavior", "state"), [("CANCEL", State.CANCELLED), ("FAIL", State.FAILED)])
def test_one_too_many_ends_before_it_begins_and_says_why(behavior, state):
    house = House.of(flow(work("a")))
    house.tell(QuotaExceeded(place="flow house.tested", duration="PT1H", limit=2, behavior=behavior))
    assert (house.state, house.runs) == (state, [])
    (said,) = (command.message for command in house.commands if getattr(command, "kept", False))
    assert said == f"Flow is {state} due to quota exceeded: 2 execution(s) in PT1H for flow house.tested"
