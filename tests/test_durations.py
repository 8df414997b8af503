"""Durations: Java's rules, and bare seconds."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate import durations

UNDERSTOOD = {
    "PT1M30S": timedelta(seconds=90),
    "pt0.25s": timedelta(milliseconds=250),
    "PT1,5S": timedelta(seconds=1.5),
    "P1D": timedelta(days=1),
    "P1DT2H": timedelta(hours=26),
    "PT1H-30M": timedelta(minutes=30),
    "-PT1.5S": timedelta(seconds=-1.5),
    "+PT5M": timedelta(minutes=5),
    "90": timedelta(seconds=90),
    "0.5": timedelta(milliseconds=500),
    "-5": timedelta(seconds=-5),
}
REFUSED = (
    "",
    "P",
    "PT",
    "P1DT",
    "P1M",
    "P1Y",
    "P1W",
    "1h",
    "5 seconds",
    "PT1.5H",
    "PT1S ",
    "١",
    "9" * 5000,
    "P9999999999D",
)
PRINTED = {
    timedelta(): "PT0S",
    timedelta(days=1): "PT24H",
    timedelta(seconds=90): "PT1M30S",
    timedelta(milliseconds=250): "PT0.25S",
    timedelta(hours=1, microseconds=1): "PT1H0.000001S",
    timedelta(seconds=-1.5): "PT-1.5S",
    timedelta(minutes=-90): "PT-1H-30M",
}


@pytest.mark.parametrize(("text", "meant"), UNDERSTOOD.items())
def test_a_duration_means_what_java_says(text, meant):
    assert durations.parse(text) == meant


@pytest.mark.parametrize("text", REFUSED)
def test_what_java_refuses_is_refused(text):
    with pytest.raises(durations.NotADuration, match="Text cannot be parsed to a Duration"):
        durations.parse(text)


@pytest.mark.parametrize(("duration", "text"), PRINTED.items())
def test_a_duration_prints_as_in_java(duration, text):
    assert durations.printed(duration) == text


@given(st.timedeltas(min_value=timedelta(days=-9999), max_value=timedelta(days=9999)))
def test_what_is_printed_reads_back(duration):
    assert durations.parse(durations.printed(duration)) == duration
