"""Texts read as dates by a pattern, as Java's DateTimeFormatter reads them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TypeAlias

from casemate.expressions.errors import Fault
from casemate.expressions.javatime.locales import Locale
from casemate.expressions.javatime.pattern import Letters, Padded, Part, Quoted, Section, read_pattern
from casemate.expressions.javatime.zones import zone

_WIDEST = 19  # digits
_WORDS = 3  # letters from which a month or day is a word
_CENTURY = 2000
_OFFSET = re.compile(r"Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?")
_GMT_OFFSET = re.compile(r"GMT([+-]\d{1,2}(?::?\d{2})?)?")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9~/._+-]*(?::\d{2})?|[+-]\d{2}:?\d{2}")

_NUMBERS = frozenset("uyDMLdHhKkmsAnNe")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a text says of a date: always the day, perhaps the time, perhaps the zone."""

    day: date
    clock: time | None = None
    zone: tzinfo | None = None


@dataclass(slots=True)
class _Reading:
    text: str
    locale: Locale
    at: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    zone: tzinfo | None = None

    def stop(self) -> Fault:
        return Fault(f"Text '{self.text}' could not be parsed at index {self.at}")


def read_by_pattern(text: str, pattern: str, locale: Locale) -> Stamp:
    """The date that the text is by the pattern; raises `Fault` with Java's text."""
    reading = _Reading(text, locale)
    _read(read_pattern(pattern), reading)
    if reading.at < len(text):
        raise Fault(f"Text '{text}' could not be parsed, unparsed text found at index {reading.at}")
    return _resolved(reading)


def _read(parts: tuple[Part, ...], reading: _Reading) -> None:
    for place, part in enumerate(parts):
        match part:
            case Quoted(text):
                if not reading.text.startswith(text, reading.at):
                    raise reading.stop()
                reading.at += len(text)
            case Section(inner):
                _read_if_there(inner, reading)
            case Padded(_, letters):
                while reading.text.startswith(" ", reading.at):
                    reading.at += 1
                _READERS[letters.letter](letters, 0, reading)
            case Letters(letter, _):
                _READERS[letter](part, _reserved(parts[place + 1 :]), reading)


def _read_if_there(parts: tuple[Part, ...], reading: _Reading) -> None:
    before = (reading.at, dict(reading.numbers), reading.zone)
    try:
        _read(parts, reading)
    except Fault:
        reading.at, reading.numbers, reading.zone = before


def _reserved(following: tuple[Part, ...]) -> int:
    """Digits that belong to the fields right behind: `yyyyMMdd` leaves four to the month and the day."""
    reserved = 0
    for part in following:
        if not isinstance(part, Letters) or part.letter not in _NUMBERS | {"S"}:
            break
        if part.letter != "S" and part.count != 2:  # only fields of a fixed width
            break
        reserved += part.count
    return reserved


_Reader: TypeAlias = Callable[[Letters, int, _Reading], None]


def _number(part: Letters, reserved: int, reading: _Reading) -> None:
    least, most = _width(part)
    start = reading.at
    signed = most == _WIDEST and reading.text[start : start + 1] in ("+", "-")
    digits = _digits(reading, start + signed)
    count = min(most, max(least, digits - reserved))
    if digits < least:
        raise reading.stop()
    reading.at = start + signed + count
    number = int(reading.text[start : reading.at])
    if part.letter in "uy" and part.count == 2:
        number += _CENTURY
    reading.numbers["y" if part.letter == "u" else "M" if part.letter == "L" else part.letter] = number


def _width(part: Letters) -> tuple[int, int]:
    if part.letter == "D" and part.count > 1:
        return part.count, 3
    return (2, 2) if part.count == 2 else (part.count, _WIDEST)


def _digits(reading: _Reading, start: int) -> int:
    at = start
    while at < len(reading.text) and reading.text[at].isascii() and reading.text[at].isdigit():
        at += 1
    return at - start


def _fraction(part: Letters, _reserved: int, reading: _Reading) -> None:
    digits = reading.text[reading.at : reading.at + part.count]
    if len(digits) < part.count or not digits.isascii() or not digits.isdigit():
        raise reading.stop()
    reading.at += part.count
    reading.numbers["n"] = int(digits.ljust(9, "0"))


def _month(part: Letters, reserved: int, reading: _Reading) -> None:
    if part.count < _WORDS:
        _number(part, reserved, reading)
        return
    names = reading.locale.months if part.count > _WORDS else reading.locale.short_months
    reading.numbers["M"] = _word(names, reading) + 1


def _weekday(part: Letters, reserved: int, reading: _Reading) -> None:
    if part.count < _WORDS and part.letter != "E":
        _number(part, reserved, reading)
    else:
        _word(reading.locale.days if part.count > _WORDS else reading.locale.short_days, reading)


def _half(_part: Letters, _reserved: int, reading: _Reading) -> None:
    reading.numbers["a"] = _word(reading.locale.halves, reading)


def _era(part: Letters, _reserved: int, reading: _Reading) -> None:
    short, long = reading.locale.eras.split("|")
    _word(long if part.count > _WORDS else short, reading)


def _word(words: str, reading: _Reading) -> int:
    """The index of the longest of the words that stands here."""
    found = [(len(word), index) for index, word in enumerate(words.split("|")) if _stands(word, reading)]
    if not found:
        raise reading.stop()
    length, index = max(found)
    reading.at += length
    return index


def _stands(word: str, reading: _Reading) -> bool:
    return reading.text.startswith(word, reading.at)


def _by_expression(expression: re.Pattern[str]) -> _Reader:
    def read(_part: Letters, _reserved: int, reading: _Reading) -> None:
        found = expression.match(reading.text, reading.at)
        if found is None:
            raise reading.stop()
        name = found[0].removeprefix("GMT") or "GMT" if expression is _GMT_OFFSET else found[0]
        reading.zone = zone(name)
        reading.at = found.end()

    return read


def _offset(part: Letters, reserved: int, reading: _Reading) -> None:
    expression = _GMT_OFFSET if part.letter == "Z" and part.count == _WORDS + 1 else _OFFSET
    _by_expression(expression)(part, reserved, reading)


def _unreadable(part: Letters, _reserved: int, _reading: _Reading) -> None:
    raise Fault(f"Dates can not be read by the pattern letter '{part.letter}'")


_READERS: Mapping[str, _Reader] = {
    **dict.fromkeys("QqYwWF", _unreadable),
    **dict.fromkeys("uyDdhKkHmsnAN", _number),
    **dict.fromkeys("ML", _month),
    **dict.fromkeys("Eec", _weekday),
    "S": _fraction,
    "a": _half,
    "G": _era,
    **dict.fromkeys("XxZ", _offset),
    "O": _by_expression(_GMT_OFFSET),
    **dict.fromkeys("Vz", _by_expression(_ZONE)),
}


# ---- fields to dates


def _resolved(reading: _Reading) -> Stamp:
    try:
        if _midnight_after(reading.numbers):
            return Stamp(_day(reading) + timedelta(days=1), time(), reading.zone)
        return Stamp(_day(reading), _clock(reading), reading.zone)
    except (ValueError, OverflowError) as error:
        raise Fault(f"Text '{reading.text}' could not be parsed: {error}") from error


def _midnight_after(numbers: Mapping[str, int]) -> bool:
    """24:00 is the end of the day."""
    return numbers.get("H") == 24 and not any(numbers.get(unit) for unit in "msn")


def _day(reading: _Reading) -> date:
    numbers = reading.numbers
    if "y" in numbers and "D" in numbers:
        first = date(numbers["y"], 1, 1)
        day = first + timedelta(days=numbers["D"] - 1)
        if day.year != first.year:
            raise ValueError(f"Invalid date 'DayOfYear {numbers['D']}'")
        return day
    if not {"y", "M", "d"} <= numbers.keys():
        raise Fault(f"Text '{reading.text}' could not be parsed: Unable to obtain LocalDate from TemporalAccessor")
    return smart_day(numbers["y"], numbers["M"], numbers["d"])


def smart_day(year: int, month: int, day: int) -> date:
    """A date; the 31st of a shorter month is its last day, as Java's smart resolving has it."""
    if not 1 <= month <= 12:
        raise ValueError(f"Invalid value for MonthOfYear (valid values 1 - 12): {month}")
    if not 1 <= day <= 31:
        raise ValueError(f"Invalid value for DayOfMonth (valid values 1 - 28/31): {day}")
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _clock(reading: _Reading) -> time | None:
    numbers = reading.numbers
    if "N" in numbers or "A" in numbers:
        nanos = numbers.get("N", numbers.get("A", 0) * 1_000_000)
        return (datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanos // 1000)).time()
    hour = _hour(numbers)
    if hour is None:
        return None
    return time(hour, numbers.get("m", 0), numbers.get("s", 0), numbers.get("n", 0) // 1000)


def _hour(numbers: Mapping[str, int]) -> int | None:
    if "H" in numbers:
        return numbers["H"]
    if "k" in numbers:
        return numbers["k"] % 24
    half = numbers.get("h", numbers.get("K"))
    if half is None or "a" not in numbers:
        return None
    return half % 12 + 12 * numbers["a"]
