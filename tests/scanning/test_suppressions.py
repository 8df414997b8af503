"""Findings that may stay: comments in flows and entries of files of rules, each with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from casemate.documents import examine
from casemate.errors import Refused
from casemate.scanning import Finding, Ruleset, Severity, about_entries, extended, scan

TODAY = date(2026, 11, 22)
FLOW = """id: made
namespace: company.team
tasks:
  - id: first
    type: io.kestra.plugin.scripts.shell.Script
    containerImage: ubuntu
    script: |
      set -e
      curl http://169.254.169.254/
  - id: second
    type: io.kestra.plugin.scripts.shell.Script
    containerImage: alpine
    script: echo hi
"""
ALLOW = "# casemate: allow image-moving because it is built here"


def scanned(text: str, ruleset: Ruleset | None = None) -> list[Finding]:
    document = examine(text).document
    assert document is not None
    return list(scan(document, ruleset or Ruleset(), file="flows/made.yaml", today=TODAY).findings)


def counting(text: str, ruleset: Ruleset | None = None) -> list[tuple[str, int]]:
    return [(one.rule, one.line) for one in scanned(text, ruleset) if one.counts]


def above(text: str, line: int, comment: str) -> str:
    """The text with a comment on a line of its own above that line, as far in as it."""
    lines = text.splitlines()
    indent = " " * (len(lines[line - 1]) - len(lines[line - 1].lstrip()))
    return "\n".join((*lines[: line - 1], indent + comment, *lines[line - 1 :])) + "\n"


def behind(text: str, line: int, comment: str) -> str:
    lines = text.splitlines()
    lines[line - 1] += f"  {comment}"
    return "\n".join(lines) + "\n"


def test_what_may_stay_hides_nothing_that_is_put_together():
    allow = "# casemate: allow metadata-address because it is only said"
    lines = ("id: x", "namespace: y", "run:", "  script: |", f"    {allow}", "    echo 169.254.169.254")
    assert counting("\n".join(lines)) == []
    assert counting("\n".join((*lines, "    curl 169.254.''169.254"))) == [("metadata-address", 5)]


def test_without_any_all_count():
    assert counting(FLOW) == [("image-moving", 6), ("metadata-address", 9), ("image-moving", 12)]


@pytest.mark.parametrize("line", [4, 6])
def test_a_comment_covers_what_begins_on_the_next_line(line: int):
    assert counting(above(FLOW, line, ALLOW)) == [("metadata-address", 10), ("image-moving", 13)]


def test_a_comment_behind_something_covers_its_line():
    assert counting(behind(FLOW, 6, ALLOW)) == [("metadata-address", 9), ("image-moving", 12)]


@pytest.mark.parametrize("line", [1, 3])
def test_a_comment_above_all_covers_all(line: int):
    assert counting(above(FLOW, line, ALLOW)) == [("metadata-address", 10)]


def test_a_comment_of_a_script_covers_the_next_line_of_the_script():
    comment = "# casemate: allow metadata-address because the credentials of the machine are meant"
    assert ("metadata-address", 10) not in counting(above(FLOW, 9, comment))


def test_several_rules_and_all_rules():
    several = "# casemate: allow image-moving, metadata-address because this is a test"
    assert counting(above(FLOW, 1, several)) == []
    assert counting(above(FLOW, 1, "# Casemate:  allow * because: this is a test")) == []


def test_the_reason_is_kept():
    (first, *_) = scanned(above(FLOW, 4, ALLOW))
    assert first.suppressed is not None
    assert (first.suppressed.reason, first.suppressed.in_source) == ("it is built here", True)


@pytest.mark.parametrize(
    "comment", ["# casemate: allow image-moving", "# casemate: allow image-moving because", "# casemate: ignore this"]
)
def test_without_a_reason_it_has_no_effect_and_is_told(comment: str):
    found = counting(above(FLOW, 6, comment))
    assert ("suppression-without-reason", 6) in found
    assert ("image-moving", 7) in found


def test_an_unused_one_is_told():
    (told,) = [
        one for one in scanned(above(FLOW, 10, ALLOW.replace("moving", "without-digest"))) if "unused" in one.rule
    ]
    assert (told.severity, told.line, told.message) == (Severity.NOTE, 10, "nothing here needs image-without-digest")


def test_a_rule_that_nobody_knows_is_told():
    (told,) = [one for one in scanned(above(FLOW, 6, ALLOW.replace("moving", "movin"))) if "unused" in one.rule]
    assert told.message == "nothing here needs image-movin, which is the name of no rule"


def test_nothing_is_hidden_behind_a_thousand_others():
    many = "".join(f"  - image: {{docker: {{image: a{number}:1}}}}\n" for number in range(1500))
    text = f"# casemate: allow image-without-digest because of many\nvariables:\n{many}"
    assert ("privileged", 1503) in counting(f"{text}privileged: true\n")
    assert ("privileged", 1502) in counting(f"{text.partition(chr(10))[2]}privileged: true\n")
    assert len(scanned(f"{text}privileged: true\n")) == 1000


RULES = """suppress:
  - rule: image-moving
    reason: built here
"""


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ("", []),
        ("flow: company.*", []),
        ("flow: other.*", [6, 12]),
        ("file: flows/*", []),
        ("file: else/*", [6, 12]),
        ('path: "tasks[0].containerImage"', [12]),
        ('path: "**.containerImage"', []),
        ("until: 2026-11-22", []),
        ("until: 2026-11-21", [6, 12]),
    ],
)
def test_an_entry_covers_flows_files_and_paths_until_its_day(more: str, left: list[int]):
    ruleset = extended(Ruleset(), f"{RULES}    {more}\n", "rules.yml")
    assert [line for rule, line in counting(FLOW, ruleset) if rule == "image-moving"] == left


def test_an_entry_that_is_over_or_unused_is_told():
    ruleset = extended(Ruleset(), f"{RULES}    until: 2026-11-21\n", "rules.yml")
    (told,) = about_entries(ruleset, frozenset(), TODAY)
    assert (told.rule, told.severity, told.line) == ("suppression-expired", Severity.WARNING, 2)
    (told,) = about_entries(extended(Ruleset(), RULES, "rules.yml"), frozenset(), TODAY)
    assert told.located() == "rules.yml:2:5: nothing here needs image-moving (Remove it) [suppression-unused]"


def test_own_rules_look_at_paths_and_values():
    text = """rules:
  - {id: no-shell, path: "tasks[*].type", pattern: 'scripts\\.shell\\.', message: no shells, severity: error}
  - {id: no-curl, pattern: "\\\\bcurl\\\\b", message: no curl}
  - {id: no-scripts, path: ["**.script", "**.commands"], message: no scripts, remedy: write plugins}
severities: {image-moving: note}
"""
    found = {
        (one.rule, one.line, one.column, str(one.severity)) for one in scanned(FLOW, extended(Ruleset(), text, "r"))
    }
    assert found >= {
        ("no-shell", 5, 28, "error"),
        ("no-shell", 11, 28, "error"),
        ("no-curl", 9, 7, "warning"),
        ("no-scripts", 7, 5, "warning"),
        ("no-scripts", 13, 5, "warning"),
        ("image-moving", 6, 21, "note"),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a", "1:1: a file of rules holds objects"),
        ("rulez: []", "1:1: rulez is not known here"),
        ("rules: {}", "1:8: this must be a list"),
        ("rules: [{id: A b, message: m, path: x}]", "1:14: A b cannot be the id of a rule"),
        ("rules: [{id: privileged, message: m, path: x}]", "1:14: privileged cannot be the id of a rule"),
        ("rules: [{id: a, path: x}]", "1:9: message is missing"),
        ("rules: [{id: a, message: m}]", "1:9: a rule needs a path, a pattern, or both"),
        ("rules: [{id: a, message: m, pattern: '('}]", "1:38: the pattern cannot be read: "),
        ("rules: [{id: a, message: m, pattern: '(?=a)'}]", "1:38: the pattern cannot be read: "),
        ("rules: [{id: a, message: m, pattern: 'a{1000}{1000}'}]", "1:38: the pattern cannot be read: "),
        ("rules: [{id: a, message: m, path: 'x[y]'}]", "1:35: x[y] has a bracket that is no [*] or [number]"),
        ("rules: [{id: a, message: m, path: x, severity: grave}]", "1:48: grave is no severity"),
        ("severities: {nothing: note}", "1:14: there is no rule nothing"),
        ("suppress: [{rule: privileged}]", "1:12: reason is missing"),
        ("suppress: [{rule: privileged, reason: ' '}]", "1:39: reason is missing"),
        ("suppress: [{rule: nothing, reason: r}]", "1:19: there is no rule nothing"),
        ("suppress: [{rule: privileged, reason: r, until: soon}]", "1:49: soon is no day"),
        ("suppress: [*a]", "1:12: Illegal rules: *a is an alias"),
    ],
)
def test_a_file_of_rules_that_is_wrong_is_refused_at_its_place(text: str, told: str):
    with pytest.raises(Refused) as refused:
        extended(Ruleset(), text, "rules.yml")
    (problem, *_) = refused.value.problems
    assert replace(problem, path="").located("").removeprefix(":").startswith(told)


def test_a_pattern_takes_time_linear_in_the_text():
    ruleset = extended(Ruleset(), "rules: [{id: slow, message: m, pattern: '(a+)+$'}]", "rules.yml")
    assert counting(f"id: x\nnamespace: y\nvariables: {{a: {'a' * 50_000}b}}\n", ruleset) == []
