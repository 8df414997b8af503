"""Cron expressions: UNIX's five fields, nicknames, and seconds on request."""

import pytest

from casemate.flows import expanded
from casemate.flows.cron import refusal

VALID = (
    "* * * * *",
    "*/15 * * * *",
    "0 9 * * MON-FRI",
    "0 0 1 JAN *",
    "1,2,30-40/2 0-23 1-31 1-12 0-7",
    "@hourly",
    "@YEARLY",
)
REFUSED = {
    "": "contains 0 parts",
    "* * * *": "contains 4 parts but we expect one of [5]",
    "* * * * * *": "contains 6 parts but we expect one of [5]",
    "60 * * * *": "Bad minute",
    "* 24 * * *": "Bad hour",
    "* * 0 * *": "Bad day-of-month",
    "* * * 13 *": "Bad month",
    "* * * * 8": "Bad day-of-week",
    "30-10 * * * *": "Bad minute",
    "*/0 * * * *": "Bad minute",
    "* * L * *": "'L' is not understood in the day of month field",
    "* * * * 5L": "'5L' is not understood in the day of week field",
    "* * * * 5#2": "'5#2' is not understood in the day of week field",
    "* * ? * *": "'?' is not understood in the day of month field",
    "every day at noon please": "'every' is not understood in the minute field",
    "@never": "no cron definition matching @never",
    "١ * * * *": "is not understood in the minute field",
}


@pytest.mark.parametrize("expression", VALID)
def test_a_cron_expression_is_accepted(expression):
    assert refusal(expression) == ""


@pytest.mark.parametrize(("expression", "cause"), REFUSED.items())
def test_what_unix_would_not_understand_is_refused(expression, cause):
    assert cause in refusal(expression)


def test_seconds_need_a_sixth_field():
    assert refusal("*/10 * * * * *", seconds=True) == ""
    assert "contains 5 parts but we expect one of [6]" in refusal("* * * * *", seconds=True)
    assert refusal("@daily", seconds=True) == ""


def test_a_nickname_stands_for_an_expression():
    assert expanded("@weekly") == "0 0 * * 0"
    assert expanded("5 4 * * *") == "5 4 * * *"
