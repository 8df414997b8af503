"""Every rule finds what it is for, in every notation, at its place; and lets pass what is like it."""

from __future__ import annotations

from datetime import date

import pytest
from tests.scanning.bad import BAD, HEAD, Bad

from casemate.documents import examine
from casemate.scanning import BUILTIN, Finding, Ruleset, scan

TODAY = date(2026, 11, 22)
RULES = Ruleset()


def found(text: str, ruleset: Ruleset = RULES) -> tuple[Finding, ...]:
    """What the scan finds in a flow."""
    reading = examine(text)
    assert reading.document is not None, reading.problems
    return scan(reading.document, ruleset, file="flow.yaml", today=TODAY).findings


def place(text: str) -> tuple[int, int]:
    """Line and column of the mark."""
    before = text[: text.index("§")]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.rule}: {bad.name}")
def test_what_is_bad_is_found_at_its_place(bad: Bad):
    text = HEAD + bad.text
    findings = {(one.rule, one.line, one.column) for one in found(text.replace("§", ""))}
    assert (bad.rule, *place(text)) in findings, findings


def test_the_table_has_every_rule():
    assert {bad.rule for bad in BAD} == {rule.id for rule in BUILTIN}
