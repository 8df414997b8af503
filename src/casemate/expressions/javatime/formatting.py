"""Dates written by a pattern, as Java's DateTimeFormatter writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TypeAlias

from casemate.expressions.javatime.locales import Locale
from casemate.expressions.javatime.pattern import Letters, Padded, Part, Quoted, Section, read_pattern
from casemate.expressions.javatime.texts import offset_text
from casemate.expressions.javatime.zones import zone_id, zone_name

_TEXT = 3  # letters from which months and days are written as words
_LONG = 4
_NARROW = 5
_TWO_DIGITS = 2

Writer: TypeAlias = Callable[[datetime, int, Locale], str]


def format_by_pattern(moment: datetime, pattern: str, locale: Locale) -> str:
    """The moment in its own zone, written by the pattern; raises `Fault` for a pattern that is none."""
    return _written(read_pattern(pattern), moment, locale)


def _written(parts: tuple[Part, ...], moment: datetime, locale: Locale) -> str:
    return "".join(_part(part, moment, locale) for part in parts)


def _part(part: Part, moment: datetime, locale: Locale) -> str:
    match part:
        case Quoted(text):
            return text
        case Letters(letter, count):
            return WRITERS[letter](moment, count, locale)
        case Padded(width, inner):
            return _part(inner, moment, locale).rjust(width)
        case Section(inner_parts):
            return _written(inner_parts, moment, locale)


def _number(value: Callable[[datetime], int]) -> Writer:
    return lambda moment, count, _locale: str(value(moment)).rjust(count, "0")


def _year(value: Callable[[datetime, Locale], int]) -> Writer:
    def write(moment: datetime, count: int, locale: Locale) -> str:
        year = value(moment, locale)
        return f"{year % 100:02}" if count == _TWO_DIGITS else str(year).rjust(count, "0")

    return write


def _month(alone: bool) -> Writer:
    def write(moment: datetime, count: int, locale: Locale) -> str:
        if count < _TEXT:
            return str(moment.month).rjust(count, "0")
        full = (alone and locale.alone_months) or locale.months
        short = (alone and locale.short_alone_months) or locale.short_months
        name = (short if count == _TEXT else full).split("|")[moment.month - 1]
        return name[0].upper() if count == _NARROW else name

    return write


def _quarter(moment: datetime, count: int, locale: Locale) -> str:
    quarter = (moment.month + 2) // 3
    if count < _TEXT:
        return str(quarter).rjust(count, "0")
    if count == _NARROW:
        return str(quarter)
    names = locale.quarters if count == _LONG else locale.short_quarters
    return names.split("|")[quarter - 1]


def _weekday(moment: datetime, count: int, locale: Locale) -> str:
    names = {_LONG: locale.days, _NARROW: locale.narrow_days}.get(count, locale.short_days)
    return names.split("|")[moment.weekday()]


def _local_weekday(moment: datetime, count: int, locale: Locale) -> str:
    if count < _TEXT:
        return str(_day_of_week(moment, locale)).rjust(count, "0")
    return _weekday(moment, count, locale)


def _day_of_week(day: date, locale: Locale) -> int:
    """The day's number in a week that begins as it does in the locale."""
    return (day.isoweekday() - locale.first_day) % 7 + 1


def week_of_year(day: date, locale: Locale) -> tuple[int, int]:
    """The week-based year and the week in it, by the locale's rules."""
    for year in (day.year + 1, day.year, day.year - 1):
        start = _first_week(year, locale)
        if day >= start:
            return year, (day - start).days // 7 + 1
    return day.year, 1


def _first_week(year: int, locale: Locale) -> date:
    """The first day of a year's first week."""
    if not date.min.year < year < date.max.year:
        return date.max
    first = date(year, 1, 1)
    start = first - timedelta(days=_day_of_week(first, locale) - 1)
    return start if 7 - (first - start).days >= locale.least_days else start + timedelta(days=7)


def _week_of_month(day: date, locale: Locale) -> int:
    first = day.replace(day=1)
    offset = _day_of_week(first, locale) - 1
    return (day.day + offset - 1) // 7 + (1 if 7 - offset >= locale.least_days else 0)


def _half(moment: datetime, _count: int, locale: Locale) -> str:
    return locale.halves.split("|")[moment.hour // 12]


def _era(_moment: datetime, count: int, locale: Locale) -> str:
    short, long = locale.eras.split("|")
    return {_LONG: long, _NARROW: short[0]}.get(count, short)


def _fraction(moment: datetime, count: int, _locale: Locale) -> str:
    return f"{moment.microsecond:06}000"[:count]


def _nanos_of_day(moment: datetime) -> int:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return (moment.replace(tzinfo=None) - midnight) // timedelta(microseconds=1) * 1000


def _offset(zero: str) -> Writer:
    """`X` and `x`: hours, with minutes from two letters on, with a colon for odd numbers of letters."""

    def write(moment: datetime, count: int, _locale: Locale) -> str:
        text = offset_text(moment, zero or "+00:00")
        if text == zero:
            return text
        hours, minutes = text[:3], text[4:6]
        if count == 1:
            return hours + (minutes if minutes != "00" else "")
        seconds = text[6:] if count >= _LONG else ""
        colon = ":" if count in (_TEXT, _NARROW) else ""
        return hours + colon + minutes + (seconds if colon else seconds.replace(":", ""))

    return write


def _rfc_offset(moment: datetime, count: int, locale: Locale) -> str:
    if count == _LONG:
        return _localized_offset(moment, count, locale)
    return _offset("Z")(moment, _NARROW, locale) if count == _NARROW else _offset("")(moment, _TWO_DIGITS, locale)


def _localized_offset(moment: datetime, count: int, _locale: Locale) -> str:
    text = offset_text(moment, "")
    if not text or count == _LONG:
        return "GMT" + text
    minutes = text[3:] if text[4:] != "00" else ""
    return f"GMT{text[0]}{int(text[1:3])}{minutes}"


WRITERS: Mapping[str, Writer] = {
    "G": _era,
    "u": _year(lambda moment, _: moment.year),
    "y": _year(lambda moment, _: moment.year),
    "Y": _year(lambda moment, locale: week_of_year(moment.date(), locale)[0]),
    "D": _number(lambda moment: moment.timetuple().tm_yday),
    "M": _month(alone=False),
    "L": _month(alone=True),
    "d": _number(lambda moment: moment.day),
    "Q": _quarter,
    "q": _quarter,
    "w": lambda moment, count, locale: str(week_of_year(moment.date(), locale)[1]).rjust(count, "0"),
    "W": lambda moment, _, locale: str(_week_of_month(moment.date(), locale)),
    "E": _weekday,
    "e": _local_weekday,
    "c": _local_weekday,
    "F": _number(lambda moment: (moment.day - 1) % 7 + 1),
    "a": _half,
    "h": _number(lambda moment: (moment.hour - 1) % 12 + 1),
    "K": _number(lambda moment: moment.hour % 12),
    "k": _number(lambda moment: (moment.hour - 1) % 24 + 1),
    "H": _number(lambda moment: moment.hour),
    "m": _number(lambda moment: moment.minute),
    "s": _number(lambda moment: moment.second),
    "S": _fraction,
    "A": _number(lambda moment: _nanos_of_day(moment) // 1_000_000),
    "n": _number(lambda moment: moment.microsecond * 1000),
    "N": _number(_nanos_of_day),
    "V": lambda moment, _count, _locale: zone_id(moment),
    "z": lambda moment, count, _locale: zone_name(moment, long=count == _LONG),
    "O": _localized_offset,
    "X": _offset("Z"),
    "x": _offset(""),
    "Z": _rfc_offset,
}
