"""Regular expressions that people write: quick, or refused before they begin."""

from __future__ import annotations

import time

import pytest

from casemate.patterns import LONGEST, PatternRefused, compiled, within_effort

HUGE = "(a|aa|b?){500}c"
CATASTROPHES = (r"(a+)+$", r"(a|a)*b", r"(.*a){20}", r"^(([a-z])+.)+[A-Z]([a-z])+$")


@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_what_keeps_engines_that_backtrack_busy_for_ever_is_quick(pattern):
    text = "a" * 100_000 + "!"
    began = time.process_time()
    within_effort(compiled(pattern), text).fullmatch(text)
    assert time.process_time() - began < 5


def test_a_pattern_that_would_take_a_minute_is_refused_before_it_begins():
    pattern = compiled(HUGE)
    with pytest.raises(PatternRefused, match="too long on a text of 1000000 characters"):
        within_effort(pattern, "a" * 1_000_000)
    assert within_effort(pattern, "abac").fullmatch("abac") is not None


@pytest.mark.parametrize("pattern", ["(?=a)a", r"(a)\1", "(", "a" * (LONGEST + 1), "(?:(?:a{900}){900}){9}", "\ud800"])
def test_what_cannot_be_matched_in_time_or_at_all_is_refused_with_a_reason(pattern):
    with pytest.raises(PatternRefused, match=r"\w+ \S+"):
        compiled(pattern)
