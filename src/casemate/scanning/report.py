"""What a whole run has found, and its forms for programs: JSON, and the parts that SARIF and JUnit share."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from casemate.scanning.model import FLOW, Finding, Rule, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One document of a file with all that was found in it. `name` is `namespace / id` as far as they are known."""

    file: str
    name: str = ""
    findings: tuple[Finding, ...] = ()

    def fails(self, least: Severity) -> bool:
        """Is there a finding that counts and is at least so grave?"""
        return any(one.counts and one.severity.reaches(least) for one in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All documents, in the order in which they were read. `about_rules` is found in files of rules."""

    checked: tuple[Checked, ...]
    about_rules: tuple[Finding, ...] = ()
    rules: tuple[Rule, ...] = ()
    """What was looked for."""
    least: Severity = Severity.WARNING
    """The least grave finding with which the run fails."""

    @property
    def fails(self) -> bool:
        """Does anything stand in the way?"""
        own = (one.counts and one.severity.reaches(self.least) for one in self.about_rules)
        return any(one.fails(self.least) for one in self.checked) or any(own)

    def findings(self) -> Iterator[Finding]:
        """Every finding, suppressed ones too."""
        for checked in self.checked:
            yield from checked.findings
        yield from self.about_rules

    def counts(self) -> dict[str, int]:
        """How many findings of each severity count, and how many are suppressed."""
        found = Counter(str(one.severity) if one.counts else "suppressed" for one in self.findings())
        return {name: found[name] for name in (*Severity, "suppressed")}

    def all_rules(self) -> tuple[Rule, ...]:
        """The rules looked for, and those of the reader of flows that were broken."""
        broken = sorted({one.rule for one in self.findings() if one.rule.startswith(FLOW)})
        return (*self.rules, *(_of_reader(rule) for rule in broken))


def _of_reader(rule: str) -> Rule:
    words = rule.removeprefix(FLOW).replace("-", " ")
    return Rule(
        id=rule, severity=Severity.ERROR, title=f"What the reader of flows says: {words}", message=words, remedy=""
    )


def as_json(report: Report) -> str:
    """One JSON object: the flows, the findings, and how many there are."""
    flows = [
        {"file": one.file, "name": one.name, "valid": not one.fails(report.least)}
        for one in report.checked
    ]  # fmt: skip
    shown = {"flows": flows, "findings": [*map(_shown, report.findings())], "counts": report.counts()}
    # Names of files may hold what no encoding knows: as escapes they can be written anywhere.
    return json.dumps({**shown, "passed": not report.fails}, indent=2)


def _shown(finding: Finding) -> dict[str, object]:
    shown: dict[str, object] = {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "remedy": finding.remedy,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "path": finding.path,
    }
    if finding.suppressed:
        where = "flow" if finding.suppressed.in_source else "rules"
        shown["suppressed"] = {"reason": finding.suppressed.reason, "by": where}
    return shown
