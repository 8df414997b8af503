"""Which conditions hold, judged by a date or by an execution."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from casemate.executions import Grounds, all_hold, holds
from casemate.expressions import ExpressionError, Unanswerable, render
from casemate.flows import Condition

TYPE = "io.kestra.plugin.core.condition."
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def condition(kind: str, *inner: Condition, **properties: object) -> Condition:
    return Condition(canonical=TYPE + kind, properties=properties, conditions=inner)


def dated(kind: str, **properties: object) -> Condition:
    return condition(kind, **{"date": "{{ trigger.date }}", **properties})


def grounds(date: str = "2021-08-02T12:00:00+02:00", **more) -> Grounds:
    def filled(_: str, template: object, extra: Mapping[str, object]) -> object:
        return render(template, {"trigger": {"date": date}, **extra}, Unanswerable(now=NOW))

    return Grounds(render=filled, **more)


@pytest.mark.parametrize(
    ("date", "wanted", "answer"),
    [
        # the first and last Monday of August 2021 were the 2nd and the 30th
        ("2021-08-02", dated("DayWeek", dayOfWeek="MONDAY"), True),
        ("2021-08-02T23:30:00Z", dated("DayWeek", dayOfWeek="TUESDAY"), False),
        ("2021-08-02T12:00:00+02:00", dated("DayWeekInMonth", dayOfWeek="MONDAY", dayInMonth="FIRST"), True),
        ("2021-08-09T12:00:00+02:00", dated("DayWeekInMonth", dayOfWeek="MONDAY", dayInMonth="FIRST"), False),
        ("2021-08-09T12:00:00+02:00", dated("DayWeekInMonth", dayOfWeek="MONDAY", dayInMonth="SECOND"), True),
        ("2021-08-30", dated("DayWeekInMonth", dayOfWeek="MONDAY", dayInMonth="LAST"), True),
        ("2021-08-23", dated("DayWeekInMonth", dayOfWeek="MONDAY", dayInMonth="LAST"), False),
        ("2021-08-23", dated("DayWeekInMonth", dayOfWeek="MONDAY", dayInMonth="FOURTH"), True),
        ("2021-08-07", dated("Weekend"), True),
        ("2021-08-09", dated("Weekend"), False),
        ("2023-07-14", dated("PublicHoliday", country="FR"), True),
        ("2023-07-15", dated("PublicHoliday", country="fr"), False),
        ("2023-01-06", dated("PublicHoliday", country="DE"), False),
        ("2023-01-06", dated("PublicHoliday", country="DE", subDivision="by"), True),
        ("2023-01-06", dated("PublicHoliday", country="DE", subDivision="DE-BY"), True),
        ("2023-07-04", dated("PublicHoliday"), True),
        ("2024-01-01T10:00:00Z", dated("DateTimeBetween", after="2023-12-31T23:00:00Z"), True),
        ("2024-01-01T10:00:00Z", dated("DateTimeBetween", after="2024-01-01T10:00:00Z"), False),
        ("2024-01-01T10:00:00Z", dated("DateTimeBetween", before="2024-01-01T12:00:00+01:00"), True),
        ("2024-01-01T10:00:00Z", dated("DateTimeBetween", before="2024-01-01T11:00:00+01:00"), False),
        ("2024-01-01T10:00:00", dated("DateTimeBetween", after="2024-01-01T09:59:59Z"), True),
        ("2024-01-01T10:00:00Z", dated("TimeBetween", after="09:00:00Z", before="11:00:00Z"), True),
        ("2024-01-01T10:00:00Z", dated("TimeBetween", after="10:30:00+02:00"), True),
        ("2024-01-01T10:00:00Z", dated("TimeBetween", after="10:00:00Z"), False),
        ("2024-01-01T10:00:00Z", dated("TimeBetween", before="10:30:00+02:00"), False),
        ("2021-08-02", condition("Weekend", date="2021-08-07"), True),
        ("2021-08-02", condition("Weekend", date="{{ '2021-08-07' }}"), True),
        ("2021-08-02", condition("Not", dated("Weekend"), dated("DayWeek", dayOfWeek="FRIDAY")), True),
        ("2021-08-02", condition("Not", dated("Weekend"), dated("DayWeek", dayOfWeek="MONDAY")), False),
        ("2021-08-02", condition("Or", dated("Weekend"), dated("DayWeek", dayOfWeek="MONDAY")), True),
        ("2021-08-02", condition("Or", dated("Weekend"), dated("DayWeek", dayOfWeek="FRIDAY")), False),
        ("2021-08-02", condition("Expression", expression="{{ trigger.date }}"), True),
        ("2021-08-02", condition("Expression", expression=" {{ 1 == 2 }} "), False),
        ("2021-08-02", condition("Expression", expression=" "), False),
        ("2021-08-02", condition("ExecutionOutputs", expression="{{ fails( }}"), False),
    ],
)
def test_conditions_about_dates(date: str, wanted: Condition, answer: bool):
    assert holds(grounds(date), "", wanted) is answer


def test_a_date_without_a_zone_is_in_that_of_the_server():
    wanted = dated("DateTimeBetween", after="2024-01-01T09:30:00Z")
    assert holds(grounds("2024-01-01T10:00:00", zone=UTC), "", wanted)
    assert not holds(grounds("2024-01-01T10:00:00", zone=PARIS), "", wanted)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (dated("DateTimeBetween"), "Invalid condition with no before nor after"),
        (dated("TimeBetween"), "Invalid condition with no before nor after"),
        (dated("TimeBetween", after="noon"), "could not be parsed"),
        (condition("Weekend", date="some day"), "could not be parsed"),
        (condition("Weekend", date="{{ nothing }}"), "Unable to find `nothing`"),
        (dated("DayWeek", dayOfWeek="DOOMSDAY"), "DOOMSDAY"),
        (dated("PublicHoliday", country="XX"), "XX"),
        (dated("PublicHoliday", country="DE", subDivision="XX"), "XX"),
        (condition("ExecutionStatus"), "Invalid condition with null execution"),
        (condition("ExecutionFlow", namespace="a", flowId="b"), "Invalid condition with null execution"),
        (condition("MultipleCondition"), "can't be evaluated"),
    ],
)
def test_what_cannot_be_told_fails(wanted: Condition, reason: str):
    with pytest.raises(ExpressionError, match=reason):
        holds(grounds(), "", wanted)


def test_a_failing_condition_does_not_hold_and_the_reason_is_told():
    said: list[str] = []
    assert not all_hold(grounds(), "", (condition("Weekend", date="some day"),), said.append)
    assert said[0].startswith("Evaluate Condition Failed with error 'Text 'some day'")


def test_a_failure_within_not_is_no_success():
    assert not all_hold(grounds(), "", (condition("Not", dated("TimeBetween")),), lambda _: None)


def test_no_conditions_hold():
    assert all_hold(grounds(), "", (), lambda _: None)
