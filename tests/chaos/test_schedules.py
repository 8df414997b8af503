"""kill -9 while dates start executions: each date starts one, none is lost, none comes twice."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from tests.running import Server

TIMED = """
id: timed
namespace: examples
tasks:
  - {{id: date, type: io.kestra.plugin.core.debug.Return, format: "{{{{ trigger.date }}}}"}}
triggers:
  - id: often
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "* * * * * *"
    withSeconds: true
    timezone: UTC
    recoverMissedSchedules: {recover}
"""


def started(server: Server) -> list[datetime]:
    """The dates that started an execution, in the order in which the executions began."""
    dates: list[datetime] = []
    for page in itertools.count(1):
        answer = requests.get(
            f"{server.api}/executions/search",
            params={"size": "100", "page": str(page), "sort": "state.startDate:asc"},
            timeout=30,
        )
        assert answer.ok, answer.text
        found = answer.json()["results"]
        dates += [datetime.fromisoformat(one["trigger"]["variables"]["date"]) for one in found]
        if len(found) < 100:
            return dates
    raise AssertionError


def until(server: Server, true: Callable[[list[datetime]], bool], limit: float = 90) -> list[datetime]:
    stop = time.monotonic() + limit
    while not true(dates := started(server)):
        assert time.monotonic() < stop, dates
        time.sleep(0.1)
    return dates


def gaps(dates: list[datetime]) -> set[timedelta]:
    return {after - before for before, after in itertools.pairwise(dates)}


@pytest.mark.slow
def test_each_date_starts_one_execution_though_the_server_is_killed_again_and_again(tmp_path: Path):
    state = tmp_path / "state"
    for start in range(4):
        server = Server(state)
        try:
            if start == 0:
                assert server.save(TIMED.format(recover="ALL")).ok
            before = len(started(server))
            # Not only where the trigger rests: a little later each time, between two dates.
            until(server, lambda dates, known=before: len(dates) >= known + 2)
            time.sleep(start * 0.17)
        finally:
            server.kill()
    last = Server(state)
    try:
        now = datetime.now(UTC)
        dates = until(last, lambda dates: bool(dates) and dates[-1] >= now)
    finally:
        last.stop()
    assert gaps(dates) == {timedelta(seconds=1)}


@pytest.mark.slow
def test_none_of_the_dates_that_passed_meanwhile_is_made_up_for_if_the_trigger_says_so(tmp_path: Path):
    state = tmp_path / "state"
    server = Server(state)
    try:
        assert server.save(TIMED.format(recover="NONE")).ok
        until(server, lambda dates: len(dates) >= 1)
    finally:
        server.kill()
    time.sleep(5)  # dates pass while nobody looks
    again = Server(state)
    try:
        now = datetime.now(UTC)
        dates = until(again, lambda dates: dates[-1] >= now)
    finally:
        again.stop()
    assert len(dates) == len(set(dates))
    assert sorted(dates) == dates
    assert max(gaps(dates)) >= timedelta(seconds=5)
