"""Looking for the next or the last date on which conditions hold (spec/engine 9.2).

Conditions that depend on nothing but the date are judged here, without rendering a template; where one of them fails
for a whole day, the day is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Final

from casemate.executions import DATE_CONDITIONS, Grounds, holds
from casemate.expressions import ExpressionError, offset_date_time
from casemate.flows import Condition
from casemate.triggers.dates import Dates

HORIZON: Final = timedelta(days=3653)
"""Ten years: no date farther away is looked for."""

MOST: Final = 20_000
"""Dates that one search looks at."""

_CONDITION: Final = "io.kestra.plugin.core.condition."
_DAYLONG: Final = frozenset(("DayWeek", "DayWeekInMonth", "Weekend", "PublicHoliday"))
_DEFAULT: Final = "{{trigger.date}}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that the date alone decides. `daylong`: alike at every time of one day."""

    condition: Condition
    daylong: bool
    zone: tzinfo

    def forbids(self, date: datetime, shown: tzinfo) -> bool:
        """Does it certainly not hold? One that fails is left for its date, where someone will see it fail."""
        try:
            return not self.allows(date, shown)
        except ExpressionError:
            return False

    def allows(self, date: datetime, shown: tzinfo) -> bool:
        """Does it hold on that date, as the clocks of a zone show it? Raises `ExpressionError`."""
        text = offset_date_time(date.astimezone(shown))

        def dated(_: str, template: object, __: Mapping[str, object]) -> object:
            assert isinstance(template, Mapping), "conditions about dates render all their properties"
            return {**template, "date": text}

        return holds(Grounds(render=dated, zone=self.zone), "", self.condition)


def rules_of(conditions: Sequence[Condition], zone: tzinfo) -> tuple[Rule, ...]:
    """Those of the conditions that the date alone decides; dates in them without a zone are in that one."""
    return tuple(Rule(each, _is_daylong(each), zone) for each in conditions if is_dated(each))


def is_dated(condition: Condition) -> bool:
    """Does nothing but the date of the trigger decide about it?"""
    kind = condition.canonical.removeprefix(_CONDITION)
    if kind in ("Not", "Or"):
        return all(map(is_dated, condition.conditions))
    written = dict(condition.properties)
    asked = str(written.pop("date", _DEFAULT)).replace(" ", "")
    return kind in DATE_CONDITIONS and asked == _DEFAULT and not any("{" in str(each) for each in written.values())


def _is_daylong(condition: Condition) -> bool:
    kind = condition.canonical.removeprefix(_CONDITION)
    return kind in _DAYLONG or (kind in ("Not", "Or") and all(map(_is_daylong, condition.conditions)))


def next_date(dates: Dates, rules: Sequence[Rule], moment: datetime) -> datetime | None:
    """The first date after that moment which the rules allow; None if there is none within ten years.

    A search that gets too long ends with the date it has come to: once that date is there, the search goes on.
    """
    looked = _looked_at(dates, rules, moment, back=False)
    return next((date for number, (date, allowed) in enumerate(looked, 1) if allowed or number == MOST), None)


def neighbour(
    dates: Dates, rules: Sequence[Rule], moment: datetime, hold: Callable[[datetime], bool], *, back: bool
) -> datetime | None:
    """The nearest date after that moment (`back`: before it) on which the rules and whatever `hold` asks allow it.

    None if there is none within ten years, or if the search gets too long.
    """
    looked = islice(_looked_at(dates, rules, moment, back=back), MOST)
    return next((date for date, allowed in looked if allowed and hold(date)), None)


def _looked_at(dates: Dates, rules: Sequence[Rule], moment: datetime, *, back: bool) -> Iterator[tuple[datetime, bool]]:
    """The dates one after the other, and whether the rules allow each; of a forbidden day only one is shown."""
    at: datetime | None = moment
    while at is not None:
        start, at = at, None
        for date in dates.before(start) if back else dates.after(start):
            if abs(date - moment) > HORIZON:
                return
            broken = next((rule for rule in rules if rule.forbids(date, dates.zone)), None)
            yield date, broken is None
            if broken is not None and broken.daylong:
                at = _midnight(date, dates.zone) if back else _midnight(date, dates.zone, 1) - timedelta.resolution
                break


def _midnight(date: datetime, zone: tzinfo, days: int = 0) -> datetime:
    day = date.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(), zone).astimezone(UTC)
