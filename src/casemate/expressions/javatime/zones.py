"""Time zones by the names that Java's `ZoneId.of` takes: `Europe/Paris`, `UTC`, `Z`, `+02:00`, `UTC+3`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from casemate.expressions.errors import Fault
from casemate.expressions.javatime.texts import ZULU, offset_text

_OFFSET = re.compile(
    r"(?:UTC|GMT|UT|)(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2})(?::?(?P<seconds>\d{2}))?)?"
)
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9~/._+-]+")
_FARTHEST = timedelta(hours=18)

_LONG_NAMES: Mapping[str, str] = {
    "UTC": "Coordinated Universal Time",
    "GMT": "Greenwich Mean Time",
    "BST": "British Summer Time",
    "WET": "Western European Standard Time",
    "WEST": "Western European Summer Time",
    "CET": "Central European Standard Time",
    "CEST": "Central European Summer Time",
    "EET": "Eastern European Standard Time",
    "EEST": "Eastern European Summer Time",
    "EST": "Eastern Standard Time",
    "EDT": "Eastern Daylight Time",
    "CST": "Central Standard Time",
    "CDT": "Central Daylight Time",
    "MST": "Mountain Standard Time",
    "MDT": "Mountain Daylight Time",
    "PST": "Pacific Standard Time",
    "PDT": "Pacific Daylight Time",
    "JST": "Japan Standard Time",
    "KST": "Korean Standard Time",
    "IST": "India Standard Time",
    "AEST": "Australian Eastern Standard Time",
    "AEDT": "Australian Eastern Daylight Time",
}


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """The zone of that name; raises `Fault` with Java's text."""
    if name == "Z":
        return ZULU
    if found := _OFFSET.fullmatch(name):
        return _fixed(found, name)
    if not _REGION.fullmatch(name):
        raise Fault(f"Invalid ID for region-based ZoneId, invalid format: {name}")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is no zone
        raise Fault(f"Unknown time-zone ID: {name}") from None


def _fixed(found: re.Match[str], name: str) -> tzinfo:
    hours, minutes, seconds = (int(found[unit] or 0) for unit in ("hours", "minutes", "seconds"))
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if offset > _FARTHEST:
        raise Fault(f"Invalid ID for ZoneOffset, out of range: {name}")
    signed = -offset if found["sign"] == "-" else offset
    return timezone(signed) if signed else ZULU


def zone_id(moment: datetime) -> str:
    """The name of a date's zone: the region, or the offset."""
    if isinstance(moment.tzinfo, ZoneInfo):
        return moment.tzinfo.key
    return offset_text(moment)


def zone_name(moment: datetime, *, long: bool) -> str:
    """What people call a date's zone: `CET`, or `Central European Standard Time`."""
    if not isinstance(moment.tzinfo, ZoneInfo):
        return zone_id(moment)
    short = moment.tzname() or "Z"
    return _LONG_NAMES.get(short, short) if long else short
