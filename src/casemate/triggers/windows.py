"""When does a time window begin and end (spec/engine 9.3)? Within one, several executions are counted together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Literal, TypeAlias

from casemate import durations

Kind: TypeAlias = Literal["DURATION_WINDOW", "SLIDING_WINDOW", "DAILY_TIME_DEADLINE", "DAILY_TIME_WINDOW"]

_TICK = timedelta(milliseconds=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """A `timeWindow` of a flow: `start` and `end` are times of day, `end` the deadline where there is one."""

    kind: Kind = "DURATION_WINDOW"
    length: timedelta = _DAY
    advance: timedelta = timedelta()
    start: time = time()
    end: time = time()


@dataclass(frozen=True, slots=True)
class Bounds:
    """The first and the last millisecond of one window."""

    start: datetime
    end: datetime

    def hold(self, now: datetime) -> bool:
        """Is it open?"""
        return self.start <= now < self.end + _TICK


def read_window(written: Mapping[str, Any] | None, older: Mapping[str, Any] | None = None) -> TimeWindow:
    """The window that a flow says; `older` may hold `window` and `windowAdvance` outside of a `timeWindow`."""
    said = {**{name: value for name, value in (older or {}).items() if value is not None}, **(written or {})}
    kind: Kind = said.get("type") or "DURATION_WINDOW"
    return TimeWindow(
        kind=kind,
        length=_duration(said.get("window"), _DAY),
        advance=_duration(said.get("windowAdvance"), timedelta()),
        start=_time(said.get("startTime") if kind == "DAILY_TIME_WINDOW" else None),
        end=_time(said.get("endTime") if kind == "DAILY_TIME_WINDOW" else said.get("deadline")),
    )


def bounds(window: TimeWindow, now: datetime, zone: tzinfo) -> Bounds | None:
    """The window that is open at `now`; times of day are those of `zone`. None if none is open then."""
    match window.kind:
        case "DURATION_WINDOW":
            found = _counted(window, now, zone) if window.length > timedelta() else None
        case "SLIDING_WINDOW":
            start = _whole(now)
            found = Bounds(start, start + window.length - _TICK)
        case _:
            found = _of_day(window, now, zone)
    return found if found is not None and found.hold(now) else None


def _counted(window: TimeWindow, now: datetime, zone: tzinfo) -> Bounds:
    """Up to an hour: counted from the hour. Longer ones: from midnight. Whole days: one that begins at midnight."""
    if window.length <= _HOUR:
        moment = (now - window.advance).astimezone(zone)
        into = timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)
        start = now - into % window.length
        return Bounds(start, start + window.length - _TICK)
    wall = now.astimezone(zone).replace(tzinfo=None) - window.advance
    midnight = datetime.combine(wall.date(), time())
    count = 0 if window.length >= _DAY else (wall - midnight) // window.length
    begin = midnight + count * window.length + window.advance
    start = max(moment for moment in _instants(begin, zone) if moment <= now)
    end = min(moment for moment in _instants(begin + window.length, zone) if moment > now)
    return Bounds(start, end - _TICK)


def _of_day(window: TimeWindow, now: datetime, zone: tzinfo) -> Bounds:
    """From one time of day to another; an end that is not after the start is on the next day."""
    today = now.astimezone(zone).date()
    later = 1 if window.kind == "DAILY_TIME_WINDOW" and window.end <= window.start else 0
    day = today - timedelta(days=later)
    for _ in range(later + 1):
        start = min(_instants(datetime.combine(day, window.start), zone))
        end = max(_instants(datetime.combine(day + timedelta(days=later), window.end), zone))
        if now < end:
            break
        day += timedelta(days=1)
    return Bounds(start, end - _TICK)


def _instants(wall: datetime, zone: tzinfo) -> Iterator[datetime]:
    """What a clock on the wall may mean: in the hour that is there twice, and in the one that is missing, two dates."""
    for fold in (0, 1):
        yield wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _whole(now: datetime) -> datetime:
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _duration(written: object, default: timedelta) -> timedelta:
    return durations.parse(written) if isinstance(written, str) else default


def _time(written: object) -> time:
    return time.fromisoformat(written) if isinstance(written, str) else time()
