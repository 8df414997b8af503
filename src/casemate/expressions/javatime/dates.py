"""From any value to a date and from a date to text, by format names, patterns and zones (filters of dates, `now`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from casemate.expressions.errors import Fault
from casemate.expressions.javatime import locales
from casemate.expressions.javatime.formatting import format_by_pattern
from casemate.expressions.javatime.locales import Locale
from casemate.expressions.javatime.reading import Stamp, read_by_pattern, smart_day
from casemate.expressions.javatime.texts import offset_text, zone_suffix
from casemate.expressions.javatime.zones import zone
from casemate.expressions.values import class_name, is_whole

_PATTERNS: Mapping[str, str] = {
    "iso": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "iso_sec": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "sql": "yyyy-MM-dd HH:mm:ss.SSSSSS",
    "sql_seq": "yyyy-MM-dd HH:mm:ss",
}
_REGION_UTC = zone("UTC")  # what a server in UTC calls its zone; the bare UTC stands for instants
_STYLES = frozenset(("full", "long", "medium", "short"))


def _time(moment: datetime) -> str:
    """With seconds, and only as many digits of a fraction as it has."""
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%H:%M:%S}{fraction}"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _local(moment: datetime) -> str:
    return f"{_day(moment)}T{_time(moment)}"


def _instant(moment: datetime) -> str:
    at = moment.astimezone(UTC)
    unit = "seconds" if not at.microsecond else "microseconds" if at.microsecond % 1000 else "milliseconds"
    return at.replace(tzinfo=None).isoformat(timespec=unit) + "Z"


def _week(moment: datetime) -> str:
    year, week, day = moment.isocalendar()
    return f"{year:04}-W{week:02}-{day}{offset_text(moment)}"


def _rfc_1123(moment: datetime) -> str:
    text = format_by_pattern(moment, "EEE, d MMM yyyy HH:mm:ss ", locales.DEFAULT)
    return text + (offset_text(moment, "GMT").replace(":", ""))


def _zoned(moment: datetime) -> str:
    return f"{_local(moment)}{offset_text(moment)}{zone_suffix(moment.tzinfo)}"


_NAMED: Mapping[str, Callable[[datetime], str]] = {
    "iso_date_time": _zoned,
    "iso_zoned_date_time": _zoned,
    "iso_date": lambda moment: _day(moment) + offset_text(moment),
    "iso_time": lambda moment: _time(moment) + offset_text(moment),
    "iso_offset_time": lambda moment: _time(moment) + offset_text(moment),
    "iso_local_date": _day,
    "iso_local_time": _time,
    "iso_local_date_time": _local,
    "iso_instant": _instant,
    "iso_ordinal_date": lambda moment: f"{moment:%Y-%j}{offset_text(moment)}",
    "iso_week_date": _week,
    "rfc_1123_date_time": _rfc_1123,
}


def format_date(moment: datetime, name: str, where: tzinfo, locale: Locale) -> str:
    """The moment as seen in a zone, by the name of a format or by a pattern; raises `Fault`."""
    seen = moment.astimezone(_REGION_UTC if where is UTC else where)
    if name in _STYLES:
        return format_by_pattern(seen, _style(name, locale), locale)
    named = _NAMED.get(name)
    return named(seen) if named else format_by_pattern(seen, _PATTERNS.get(name, name), locale)


def _style(name: str, locale: Locale) -> str:
    return {"full": locale.full, "long": locale.long, "medium": locale.medium, "short": locale.short}[name]


# ---- reading

_DATE = r"(?P<year>[+-]?\d{4,9})-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{0,9}))?)?"
_ZONE = r"(?P<offset>Z|[+-]\d\d(?::\d\d(?::\d\d)?)?)(?:\[(?P<region>[^\]]+)\])?"
_ISO = re.compile(rf"{_DATE}(?:T{_TIME}(?:{_ZONE})?)?", re.IGNORECASE | re.ASCII)
_ISO_DATE = re.compile(rf"{_DATE}(?P<offset>Z|[+-]\d\d:\d\d)?", re.IGNORECASE | re.ASCII)
_COUNTED: Mapping[str | None, re.Pattern[str]] = {
    "iso_ordinal_date": re.compile(r"(?P<day>\d{4}-\d{3})(?:Z|[+-]\d\d:\d\d)?", re.ASCII),
    "iso_week_date": re.compile(r"(?P<day>\d{4}-W\d\d-[1-7])(?:Z|[+-]\d\d:\d\d)?", re.ASCII),
}
_RFC = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(?P<rest>\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d)(?P<second>:\d\d)? (?P<zone>GMT|[+-]\d{4})"
)


def read_date(text: str, name: str | None, locale: Locale) -> Stamp:
    """The date that a text is, by a format's name, a pattern, or in ISO form; raises `Fault` with Java's text."""
    if name in _COUNTED:
        return _read_counted(text, _COUNTED[name])
    if name is None or (name.startswith("iso_") and name in _NAMED):
        return _read_iso(text, _ISO_DATE if name == "iso_date" else _ISO)
    if name == "rfc_1123_date_time":
        return _read_rfc(text)
    pattern = _style(name, locale) if name in _STYLES else _PATTERNS.get(name, name)
    return read_by_pattern(text, pattern, locale)


def _read_iso(text: str, form: re.Pattern[str]) -> Stamp:
    found = form.fullmatch(text)
    if found is None:
        raise Fault(f"Text '{text}' could not be parsed at index {_reached(text)}")
    parts = found.groupdict()
    try:
        day = date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
        clock = _iso_clock(parts) if parts.get("hour") else None
    except ValueError as error:
        raise Fault(f"Text '{text}' could not be parsed: {error}") from error
    where = parts.get("region") or parts.get("offset")
    return Stamp(day, clock, zone(where.upper() if where == "z" else where) if where else None)


def _read_counted(text: str, form: re.Pattern[str]) -> Stamp:
    """A date by its day of the year, or by its week and day of the week."""
    found = form.fullmatch(text)
    if found is None:
        raise Fault(f"Text '{text}' could not be parsed at index 0")
    try:
        day = datetime.strptime(found["day"], "%Y-%j" if "W" not in text else "%G-W%V-%u").date()  # noqa: DTZ007 - a day
    except ValueError as error:
        raise Fault(f"Text '{text}' could not be parsed: {error}") from error
    return Stamp(day, None, None)


def _reached(text: str) -> int:
    """How far the text looks like a date."""
    found = re.match(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d(?::\d\d)?)?)?)?", text)
    return found.end() if found else 0


def _iso_clock(parts: Mapping[str, str | None]) -> time:
    micros = int((parts["fraction"] or "0").ljust(6, "0")[:6])
    return time(int(parts["hour"] or 0), int(parts["minute"] or 0), int(parts["second"] or 0), micros)


def _read_rfc(text: str) -> Stamp:
    found = _RFC.fullmatch(text)
    if found is None:
        raise Fault(f"Text '{text}' could not be parsed at index 0")
    stamp = read_by_pattern(found["rest"] + (found["second"] or ":00"), "d MMM yyyy HH:mm:ss", locales.DEFAULT)
    return Stamp(stamp.day, stamp.clock, zone(found["zone"]))


def moment_of(value: object, where: tzinfo, existing: str | None, locale: Locale) -> datetime:
    """Any value as an aware datetime: what has no zone is taken to be in that one; raises `Fault`."""
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else _settled(value.replace(tzinfo=where))
    if isinstance(value, date):
        return datetime.combine(value, time(12), where)
    if is_whole(value):
        return _epoch(value, where)
    if not isinstance(value, str):
        raise Fault(f"class {class_name(value)} cannot be cast to class java.lang.String")
    stamp = read_date(value, existing, locale)
    return _placed(stamp, where)


def _placed(stamp: Stamp, where: tzinfo) -> datetime:
    """A text's date in its own zone, else in that one; at midnight if it names no time."""
    if stamp.clock is None:
        return datetime.combine(stamp.day, time(), where)
    return _settled(datetime.combine(stamp.day, stamp.clock, stamp.zone or where))


def _settled(moment: datetime) -> datetime:
    """A time that a clock change skips is that much later, as in Java."""
    try:
        return moment.astimezone(UTC).astimezone(moment.tzinfo)
    except OverflowError:
        return moment


def _epoch(seconds: int, where: tzinfo) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone(where)
    except (OverflowError, ValueError, OSError):
        raise Fault(f"Instant exceeds minimum or maximum instant: {seconds}") from None


# ---- adding

_INSTANT_UNITS: Mapping[str, timedelta] = {
    "NANOS": timedelta(microseconds=0),
    "MICROS": timedelta(microseconds=1),
    "MILLIS": timedelta(milliseconds=1),
    "SECONDS": timedelta(seconds=1),
    "MINUTES": timedelta(minutes=1),
    "HOURS": timedelta(hours=1),
    "HALF_DAYS": timedelta(hours=12),
}
_DAYS: Mapping[str, int] = {"DAYS": 1, "WEEKS": 7}
_MONTHS: Mapping[str, int] = {"MONTHS": 1, "YEARS": 12, "DECADES": 120, "CENTURIES": 1200, "MILLENNIA": 12000}


def added(moment: datetime, amount: int, unit: str) -> datetime:
    """The moment later by an amount; days and longer keep the clock of the zone, hours count as they pass."""
    try:
        return _added(moment, amount, unit)
    except (OverflowError, ValueError) as error:
        raise Fault(f"The date exceeds what can be held: {error}") from error


def _added(moment: datetime, amount: int, unit: str) -> datetime:
    if unit == "NANOS":
        return _elapsed(moment, timedelta(microseconds=amount // 1000))
    if unit in _INSTANT_UNITS:
        return _elapsed(moment, amount * _INSTANT_UNITS[unit])
    if unit in _DAYS:
        return _settled(moment + timedelta(days=amount * _DAYS[unit]))
    if unit in _MONTHS:
        return _settled(_months_later(moment, amount * _MONTHS[unit]))
    raise Fault(f"No enum constant java.time.temporal.ChronoUnit.{unit}")


def _elapsed(moment: datetime, passed: timedelta) -> datetime:
    return (moment.astimezone(UTC) + passed).astimezone(moment.tzinfo)


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = smart_day(year, month + 1, moment.day)
    return moment.replace(year=day.year, month=day.month, day=day.day)
