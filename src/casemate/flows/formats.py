"""Texts that must mean something: durations, dates, time zones, patterns, sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import re2

from casemate import durations, sizes
from casemate.catalog import Format
from casemate.flows.misfits import TIMES, Misfit, unreadable

_OFFSET: Final = re.compile(r"Z|(?:UTC|GMT|UT)?[-+]\d{1,2}(?::?\d{2}){0,2}", re.ASCII)
_ZONE_SUFFIX: Final = re.compile(r"\[[\w/+-]+\]$")
_QUIET: Final = re2.Options()
_QUIET.log_errors = False


def _duration(text: str) -> str | Misfit:
    try:
        return durations.printed(durations.parse(text.strip()))
    except durations.NotADuration as error:
        return _undated(Format.DURATION, text, str(error), "write PT30S, PT5M, PT1H, P1D, or a number of seconds")


def _dated(form: Format, is_one: Callable[[str], bool], example: str, text: str) -> str | Misfit:
    """A date or a time, kept as written; whoever uses it reads it again."""
    try:
        if is_one(text.strip()):
            return text.strip()
    except ValueError:
        pass  # strptime and fromisoformat say no in this way
    return _undated(form, text, f"Text '{text}' could not be parsed", f"write it like {example}")


def _undated(form: Format, text: str, cause: str, remedy: str) -> Misfit:
    java = TIMES[form]
    why = f"Failed to deserialize {java}: (java.time.format.DateTimeParseException) {cause}"
    return Misfit(unreadable(java, text, why), remedy)


def _is_moment(text: str) -> bool:
    return "T" in text and datetime.fromisoformat(_ZONE_SUFFIX.sub("", text)).tzinfo is not None


def _is_date(text: str) -> bool:
    return datetime.strptime(text, "%Y-%m-%d").tzinfo is None  # noqa: DTZ007 - a date alone has no zone


def _is_time(text: str) -> bool:
    return text[2:3] == ":" and time.fromisoformat(text).tzinfo is None


def _is_offset_time(text: str) -> bool:
    return text[2:3] == ":" and time.fromisoformat(text).tzinfo is not None


def _timezone(text: str) -> str | Misfit:
    if _OFFSET.fullmatch(text):
        return text
    try:
        ZoneInfo(text)  # the zones are a table; that Python keeps it in files changes nothing for us
    except (KeyError, ValueError, OSError):
        return Misfit(f"timezone '({text})' is not a valid time-zone ID", "write it like Europe/Paris", illegal=False)
    return text


def _regex(text: str) -> str | Misfit:
    # A tenant's validator must not be able to stop a service: what it may cost is judged where it is matched.
    try:
        re2.compile(text, _QUIET)
    except re2.error as error:
        return Misfit(f"invalid pattern [{text}]", _pattern_remedy(error), illegal=False)
    return text


def _size(text: str) -> str | Misfit:
    try:
        sizes.parse(text)
    except sizes.NotASize as error:
        return Misfit(str(error), "write 512MB, 2GB or a number of bytes", illegal=False)
    return text


def _pattern_remedy(error: re2.error) -> str:
    cause = error.args[0] if error.args else ""
    text = cause.decode(errors="replace") if isinstance(cause, bytes) else str(cause)
    offered = "look-around and back-references are not offered, so that no text can make a pattern run for ever"
    return f"{text}: {offered}" if "(?" in text or "escape sequence" in text else text


FORMATS: Final[Mapping[Format | None, Callable[[str], str | Misfit]]] = {
    Format.DURATION: _duration,
    Format.DATE_TIME: partial(_dated, Format.DATE_TIME, _is_moment, "2024-12-31T23:59:59+01:00"),
    Format.INSTANT: partial(_dated, Format.INSTANT, _is_moment, "2024-12-31T23:59:59Z"),
    Format.DATE: partial(_dated, Format.DATE, _is_date, "2024-12-31"),
    Format.TIME: partial(_dated, Format.TIME, _is_time, "23:59:59"),
    Format.OFFSET_TIME: partial(_dated, Format.OFFSET_TIME, _is_offset_time, "23:59:59+02:00"),
    Format.TIMEZONE: _timezone,
    Format.REGEX: _regex,
    Format.SIZE: _size,
}
"""What a text becomes, by the format that its property asks for."""
