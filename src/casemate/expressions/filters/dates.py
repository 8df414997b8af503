"""Filters of dates (spec/engine 6.8), and what `now` shares with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from casemate.expressions import given as arguments
from casemate.expressions.errors import Fault
from casemate.expressions.filters.filter import Filter
from casemate.expressions.given import Given
from casemate.expressions.javatime import locales
from casemate.expressions.javatime.dates import added, format_date, moment_of
from casemate.expressions.javatime.locales import Locale
from casemate.expressions.javatime.zones import zone
from casemate.expressions.run import Run
from casemate.expressions.values import Long

FORMAT_PARAMETERS = ("format", "timeZone", "existingFormat", "locale")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


def shown_date(value: object, given: Given, run: Run) -> str:
    """Any date in the asked-for format, zone and language."""
    name = arguments.optional_text(given, "format") if "format" in given else "iso"
    if name is None:
        raise Fault("The format of a date can not be null")
    where = _zone(given, run)
    return format_date(_moment(value, given, where), name, where, _locale(given))


def _zone(given: Given, run: Run) -> tzinfo:
    name = arguments.optional_text(given, "timeZone")
    return run.session.world.zone if name is None else zone(name)


def _locale(given: Given) -> Locale:
    name = arguments.optional_text(given, "locale")
    return locales.DEFAULT if name is None else locales.locale(name)


def _moment(value: object, given: Given, where: tzinfo) -> datetime:
    return moment_of(value, where, arguments.optional_text(given, "existingFormat"), _locale(given))


def _date_add(value: object, given: Given, run: Run) -> str:
    amount, unit = arguments.whole(given, "amount"), arguments.optional_text(given, "unit")
    if amount is None or unit is None:
        raise Fault("The 'dateAdd' filter expects the arguments 'amount' and 'unit'.")
    moment = _moment(value, given, _zone(given, run))
    return shown_date(added(moment, amount, unit), given, run)


def _micros(value: object, given: Given, run: Run) -> int:
    return (_moment(value, given, _zone(given, run)) - _EPOCH) // _MICRO


def _timestamp(value: object, given: Given, run: Run) -> Long:
    return Long(_micros(value, given, run) // 1_000_000)


def _timestamp_nano(value: object, given: Given, run: Run) -> str:
    return str(_micros(value, given, run) * 1000)


def _timestamp_micro(value: object, given: Given, run: Run) -> str:
    """Kestra's quirk, kept: the seconds are scaled to nanoseconds, the microseconds of the second added to that."""
    seconds, micros = divmod(_micros(value, given, run), 1_000_000)
    return str(seconds * 1_000_000_000 + micros)


DATES: Mapping[str, Filter] = {
    "date": Filter(shown_date, FORMAT_PARAMETERS),
    "dateAdd": Filter(_date_add, ("amount", "unit", *FORMAT_PARAMETERS)),
    "timestamp": Filter(_timestamp, ("timeZone", "existingFormat")),
    "timestampNano": Filter(_timestamp_nano, ("timeZone", "existingFormat")),
    "timestampMicro": Filter(_timestamp_micro, ("timeZone", "existingFormat")),
}
