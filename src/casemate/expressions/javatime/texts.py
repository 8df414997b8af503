"""Dates, times and durations in the ISO forms that Java's `toString` and Kestra's JSON give them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from casemate import durations

Moment = datetime | date | time | timedelta
ZULU = timezone(timedelta(0), "Z")
"""The zone of a ZonedDateTime written with `Z`: the same offset as `datetime.UTC`, which stands for an Instant."""


def printed_moment(value: Moment) -> str:
    """The value's `toString`: seconds are left out when zero, except in instants."""
    if isinstance(value, timedelta):
        return durations.printed(value)
    if isinstance(value, datetime):
        return _printed_datetime(value)
    return _clock(value, seconds=False) if isinstance(value, time) else value.isoformat()


def _printed_datetime(value: datetime) -> str:
    text = f"{value.date().isoformat()}T{_clock(value.time(), seconds=value.tzinfo is UTC)}"
    if value.tzinfo is None:
        return text
    return f"{text}{offset_text(value)}{zone_suffix(value.tzinfo)}"


def json_moment(value: Moment, zone: tzinfo) -> str:
    """The value in JSON, without quotes: always with seconds, zoned dates shown in the server's zone."""
    if isinstance(value, timedelta):
        return seconds_text(value)
    if isinstance(value, time):
        return _clock(value, seconds=True)
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.tzinfo is not None:
        value = value.astimezone(UTC if value.tzinfo is UTC else zone)
        return f"{value.date().isoformat()}T{_clock(value.time(), seconds=True)}{offset_text(value)}"
    return f"{value.date().isoformat()}T{_clock(value.time(), seconds=True)}"


def seconds_text(value: timedelta) -> str:
    """A duration in JSON: seconds with nine decimals, as a number."""
    return f"{value / timedelta(microseconds=1) / 1_000_000:.9f}"


def _clock(value: time, *, seconds: bool) -> str:
    """`HH:mm[:ss[.SSS[SSS]]]`: the fraction in groups of three digits."""
    if value.microsecond:
        unit = "microseconds" if value.microsecond % 1000 else "milliseconds"
        return value.replace(tzinfo=None).isoformat(unit)
    return value.replace(tzinfo=None).isoformat("seconds" if seconds or value.second else "minutes")


def offset_text(value: datetime, zero: str = "Z") -> str:
    """The offset from UTC as `+02:00`; `zero` for none."""
    seconds = int((value.utcoffset() or timedelta()).total_seconds())
    if not seconds:
        return zero
    minutes, second = divmod(abs(seconds), 60)
    tail = f":{second:02}" if second else ""
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}{tail}"


def zone_suffix(zone: tzinfo | None) -> str:
    """`[Europe/Paris]` for a region, nothing for a mere offset."""
    return f"[{zone.key}]" if isinstance(zone, ZoneInfo) else ""
