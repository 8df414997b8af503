"""The report as JUnit XML: a suite for each document, a failed case for each finding that stands in the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from casemate.scanning.model import Finding, Severity
from casemate.scanning.report import Checked, Report

_NOT_XML: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 knows no way to write these characters, not even as references."""


def as_junit(report: Report) -> str:
    """One document, for the reports of continuous integration."""
    groups = [*report.checked, *([Checked(file="rules", findings=report.about_rules)] if report.about_rules else [])]
    cases = sum(max(1, len(_failures(one, report.least))) for one in groups)
    failures = sum(len(_failures(one, report.least)) for one in groups)
    yielded = (line for group in groups for line in _suite(group, report.least))
    head = f'<testsuites name="casemate flow validate" tests="{cases}" failures="{failures}">'
    return "\n".join(('<?xml version="1.0" encoding="UTF-8"?>', head, *yielded, "</testsuites>"))


def _failures(checked: Checked, least: Severity) -> list[Finding]:
    return [one for one in checked.findings if one.counts and one.severity.reaches(least)]


def _suite(checked: Checked, least: Severity) -> Iterator[str]:
    failures = _failures(checked, least)
    name, case = _attribute(checked.file), _attribute(checked.name or checked.file)
    yield f'  <testsuite name="{name}" tests="{max(1, len(failures))}" failures="{len(failures)}">'
    for one in failures:
        title = _attribute(f"{one.rule} (line {one.line})")
        yield f'    <testcase name="{title}" classname="{case}" file="{name}" line="{one.line}">'
        yield f'      <failure type="{_attribute(one.rule)}" message="{_attribute(one.message)}">'
        yield f"{_text(one.located())}</failure>"
        yield "    </testcase>"
    if not failures:
        yield f'    <testcase name="valid" classname="{case}" file="{name}"/>'
    if notes := [one.located() for one in checked.findings if one.counts and one not in failures]:
        yield f"    <system-out>{_text(chr(10).join(notes))}</system-out>"
    yield "  </testsuite>"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def _attribute(text: str) -> str:
    return _text(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
