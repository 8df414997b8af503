"""Does a condition about a date hold (spec/engine 9.4)? Every property of it is rendered already."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, TypeAlias

from casemate.executions.public_holidays import is_holiday
from casemate.expressions import ExpressionError, moment_of, printed

Values: TypeAlias = Mapping[str, object]

_DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_NTH: Final = ("FIRST", "SECOND", "THIRD", "FOURTH")
_WEEKEND: Final = 5


def date_holds(kind: str, asked: Values, zone: tzinfo) -> bool:
    """Does it hold? A date without a zone is in that one. Raises `ExpressionError` for what cannot be told."""
    return KINDS[kind](asked, moment_of(_text(asked, "date"), zone), zone)


def _date_time_between(asked: Values, moment: datetime, zone: tzinfo) -> bool:
    after, before = asked.get("after"), asked.get("before")
    _bounded(after, before)
    return (after is None or moment > moment_of(printed(after), zone)) and (
        before is None or moment < moment_of(printed(before), zone)
    )


def _time_between(asked: Values, moment: datetime, _: tzinfo) -> bool:
    after, before = asked.get("after"), asked.get("before")
    _bounded(after, before)
    now = _since_midnight(moment.timetz().replace(tzinfo=None), moment.utcoffset())
    return (after is None or now > _offset_time(after)) and (before is None or now < _offset_time(before))


def _bounded(after: object, before: object) -> None:
    if after is None and before is None:
        raise ExpressionError("Invalid condition with no before nor after")


def _offset_time(value: object) -> timedelta:
    text = printed(value).strip()
    try:
        read = time.fromisoformat(text)
    except ValueError:
        raise ExpressionError(f"Text '{text}' could not be parsed at index 0") from None
    if read.tzinfo is None:
        raise ExpressionError(f"Text '{text}' could not be parsed at index {len(text)}")
    return _since_midnight(read.replace(tzinfo=None), read.utcoffset())


def _since_midnight(clock: time, offset: timedelta | None) -> timedelta:
    """As Java compares offset times: the time of day less its offset, without going round."""
    passed = timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)
    return passed - (offset or timedelta())


def _day_week(asked: Values, moment: datetime, _: tzinfo) -> bool:
    return moment.weekday() == _weekday(asked)


def _day_week_in_month(asked: Values, moment: datetime, _: tzinfo) -> bool:
    return moment.weekday() == _weekday(asked) and _is_nth(moment.date(), _text(asked, "dayInMonth").upper())


def _is_nth(day: date, wanted: str) -> bool:
    if wanted == "LAST":
        return day.day + 7 > calendar.monthrange(day.year, day.month)[1]
    if wanted not in _NTH:
        raise ExpressionError(f"No enum constant DayWeekInMonth.DayInMonth.{wanted}")
    return (day.day - 1) // 7 == _NTH.index(wanted)


def _weekday(asked: Values) -> int:
    name = _text(asked, "dayOfWeek").upper()
    if name not in _DAYS:
        raise ExpressionError(f"No enum constant java.time.DayOfWeek.{name}")
    return _DAYS.index(name)


def _weekend(_: Values, moment: datetime, __: tzinfo) -> bool:
    return moment.weekday() >= _WEEKEND


def _public_holiday(asked: Values, moment: datetime, _: tzinfo) -> bool:
    return is_holiday(moment.date(), _text(asked, "country"), _text(asked, "subDivision"))


def _text(asked: Values, name: str) -> str:
    value = asked.get(name)
    return "" if value is None else printed(value).strip()


KINDS: Final[Mapping[str, Callable[[Values, datetime, tzinfo], bool]]] = {
    "DateTimeBetween": _date_time_between,
    "TimeBetween": _time_between,
    "DayWeek": _day_week,
    "DayWeekInMonth": _day_week_in_month,
    "Weekend": _weekend,
    "PublicHoliday": _public_holiday,
}
"""By the last part of the type's name."""
