"""The report of `casemate flow validate` for people: a line for each flow, and under it what was found, with places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from casemate.cli.counted import counted
from casemate.scanning import FLOW, Checked, Finding, Report, Severity

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Names of files and values of flows are others' texts: they must not move the cursor, nor begin a line of their own,
which some systems for continuous integration would take for a command."""
_COMMAND: Final = re.compile(r"##(?=\[|vso\[|teamcity\[)|^(?P<space>\s*)(?=::)", re.IGNORECASE)
"""What GitHub, Azure and TeamCity take for a command: the first form anywhere in a line, the other where it begins."""
_WHOLE_FILE: Final = (f"{FLOW}odd-file", f"{FLOW}unreadable")


def as_text(report: Report, *, scanned: bool) -> Iterator[str]:
    """The lines of the report; the last one counts, if there was a scan."""
    for checked in report.checked:
        yield from map(safe, _document(checked, report.least))
    for finding in report.about_rules:
        yield safe(f"{_mark(finding)} - {finding.located()}")
    if scanned:
        counts = report.counts()
        shown = ", ".join(counted(counts[name], name) for name in Severity)
        yield f"{counted(len(report.checked), 'flow')}: {shown}; {counts['suppressed']} suppressed"


def _document(checked: Checked, least: Severity) -> Iterator[str]:
    fails = checked.fails(least)
    if any(one.rule in _WHOLE_FILE for one in checked.findings):
        yield f"✘ - {checked.file}: {checked.findings[0].message}"
        return
    yield f"✘ - {checked.file}" if fails else f"✓ - {checked.name}"
    for one in checked.findings:
        yield _line(one, least)


def _line(finding: Finding, least: Severity) -> str:
    if finding.suppressed:
        return f"    suppressed because {finding.suppressed.reason}: {finding.located()}"
    if finding.severity.reaches(least):
        return f"  {finding.located()}"
    shown = finding.message if finding.rule.startswith(FLOW) else finding.located()
    return f"{_mark(finding)} - {shown}"


def _mark(finding: Finding) -> str:
    if finding.rule == f"{FLOW}relocated":
        return "ℹ"
    return {Severity.ERROR: "✘", Severity.WARNING: "⚠"}.get(
        finding.severity, "⚠" if finding.rule.startswith(FLOW) else "ℹ"
    )


def safe(line: str) -> str:
    """The text as one line that only people read: nothing in it moves a cursor or commands a system."""
    return _COMMAND.sub(
        lambda found: "# #" if found[0].startswith("##") else f"{found[0]}./", _UNPRINTABLE.sub(" ", line)
    )
