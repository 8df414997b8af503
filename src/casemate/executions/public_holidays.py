"""Is a day a public holiday? Asked of the calendars of the `holidays` package, which is loaded when first needed."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from casemate.expressions import ExpressionError

if TYPE_CHECKING:
    from holidays import HolidayBase

_COUNTRY: Final = "US"
"""Where no country is named: that of the language in which dates are written here, en-US."""


def is_holiday(day: date, country: str, division: str) -> bool:
    """Is it one in the country (`DE`), or in one part of it (`BY`, `DE-BY`)? Raises `ExpressionError` for unknown ones.

    Names are those of ISO 3166, in letters of either case; an empty country is the United States.
    """
    place = (country or _COUNTRY).upper()
    return day in _calendar(place, division.upper().removeprefix(f"{place}-"), day.year)


@lru_cache(maxsize=128)
def _calendar(country: str, division: str, year: int) -> HolidayBase:
    # Loading it takes longer than answering a request; most installations never ask.
    from holidays import country_holidays

    try:
        return country_holidays(country, subdiv=division or None, years=year, expand=False)
    except NotImplementedError as error:
        raise ExpressionError(f"There is no calendar of public holidays: {error}") from None
