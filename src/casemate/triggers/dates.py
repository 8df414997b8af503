"""The dates of a schedule: those of a cron expression in a zone, or those of a list (spec/engine 9.2).

All dates that leave this module are in UTC: two dates of one zone are compared by their clocks, which summer time turns
back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, TypeAlias

from cronsim import CronSim

from casemate.flows import expanded

_TURNED_BACK: Final = timedelta(hours=3)
"""More than any clock is ever turned back."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The dates of a valid expression, by the clocks of a zone.

    A time that a clock change skips comes at once after it; one that comes twice counts once, unless the expression
    asks for every hour or minute.
    """

    expression: str
    zone: tzinfo

    def after(self, moment: datetime) -> Iterator[datetime]:
        """All dates after that one, the earliest first."""
        last = moment.astimezone(UTC)
        for date in CronSim(expanded(self.expression), last.astimezone(self.zone)):
            if (found := date.astimezone(UTC)) > last:
                last = found
                yield found

    def before(self, moment: datetime) -> Iterator[datetime]:
        """All dates before that one, the latest first."""
        last = moment.astimezone(UTC)
        local = last.astimezone(self.zone)
        begin = local.replace(fold=0) + _TURNED_BACK if local.fold else local
        for date in CronSim(expanded(self.expression), begin, reverse=True):
            if (found := date.astimezone(UTC)) < last:
                last = found
                yield found


@dataclass(frozen=True, slots=True)
class Listed:
    """Dates that someone wrote down, sorted and each once."""

    dates: tuple[datetime, ...]
    zone: tzinfo

    def after(self, moment: datetime) -> Iterator[datetime]:
        """All dates after that one, the earliest first."""
        return (date for date in self.dates if date > moment)

    def before(self, moment: datetime) -> Iterator[datetime]:
        """All dates before that one, the latest first."""
        return (date for date in reversed(self.dates) if date < moment)


Dates: TypeAlias = Cron | Listed


def listed(dates: list[datetime], zone: tzinfo) -> Listed:
    """A list of aware dates in any order."""
    return Listed(tuple(sorted({date.astimezone(UTC) for date in dates})), zone)
