"""Dates for the rooms above: read from texts as Java reads them, written as its ISO_OFFSET_DATE_TIME."""

from __future__ import annotations

from datetime import datetime, tzinfo

from casemate.expressions.errors import ExpressionError, Fault
from casemate.expressions.javatime import dates, locales, zones
from casemate.expressions.javatime.texts import offset_text


def zone_of(name: str) -> tzinfo:
    """The zone that a text names: `Europe/Paris`, `UTC`, `+02:00`. Raises `ExpressionError` with Java's text."""
    try:
        return zones.zone(name)
    except Fault as fault:
        raise ExpressionError(fault.message) from None


def moment_of(text: str, zone: tzinfo) -> datetime:
    """The date of a text in ISO form, in that zone if it names none; raises `ExpressionError` with Java's text."""
    try:
        return dates.moment_of(text.strip(), zone, None, locales.DEFAULT)
    except Fault as fault:
        raise ExpressionError(fault.message) from None


def offset_date_time(moment: datetime) -> str:
    """`2022-04-01T09:12:00-04:00`: always with seconds, never with the name of the zone, `Z` for none."""
    unit = "seconds" if not moment.microsecond else "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=unit) + offset_text(moment)
