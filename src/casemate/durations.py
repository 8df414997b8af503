"""Durations as flows write them: ISO-8601 by Java's rules, or a bare number of seconds (spec/engine 1.1)."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

_ISO: Final = re.compile(
    r"(?P<sign>[-+]?)P(?:(?P<days>[-+]?\d+)D)?"
    r"(?:T(?=[-+\d])(?:(?P<hours>[-+]?\d+)H)?(?:(?P<minutes>[-+]?\d+)M)?(?:(?P<seconds>[-+]?\d+(?:[.,]\d{0,9})?)S)?)?",
    re.IGNORECASE | re.ASCII,
)
_SECONDS: Final = re.compile(r"[-+]?(?:\d+(?:\.\d{0,9})?|\.\d{1,9})", re.ASCII)
_MICROSECOND: Final = timedelta(microseconds=1)


class NotADuration(ValueError):
    """The text is no duration; the message is Java's."""

    def __init__(self, text: str) -> None:
        super().__init__("Text cannot be parsed to a Duration")
        self.text = text


@lru_cache(maxsize=1024)
def parse(text: str) -> timedelta:
    """The duration a text means: `PT1H30M`, `pt0.25s`, `P1D`, `90`, `0.5`. Years, months and weeks are refused.

    Finer than microseconds is cut. Raises `NotADuration`, also for what no timedelta can hold.
    """
    try:
        return _seconds(text) if _SECONDS.fullmatch(text) else _iso(text)
    except (OverflowError, ValueError) as error:
        raise NotADuration(text) from error


def printed(duration: timedelta) -> str:
    """The same as Java prints it: `PT1M30S`, days as hours (`PT48H`), nothing at all as `PT0S`."""
    micros = duration // _MICROSECOND
    sign = "-" if micros < 0 else ""
    seconds, micros = divmod(abs(micros), 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = "".join(f"{sign}{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M")) if number)
    if micros:
        text += f"{sign}{seconds}." + f"{micros:06}".rstrip("0") + "S"
    elif seconds:
        text += f"{sign}{seconds}S"
    return "PT" + (text or "0S")


def _seconds(text: str) -> timedelta:
    return timedelta(microseconds=int(Decimal(text) * 1_000_000))


def _iso(text: str) -> timedelta:
    found = _ISO.fullmatch(text)
    if not found or not any(found[unit] for unit in ("days", "hours", "minutes", "seconds")):
        raise NotADuration(text)
    days, hours, minutes = (timedelta(**{unit: int(found[unit] or 0)}) for unit in ("days", "hours", "minutes"))
    total = days + hours + minutes + _seconds((found["seconds"] or "0").replace(",", "."))
    return -total if found["sign"] == "-" else total
