"""The report as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from casemate.scanning.model import Finding, Rule
from casemate.scanning.report import Report

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def as_sarif(report: Report, version: str) -> str:
    """One log with one run of this version. Files by relative paths are below `%SRCROOT%`, the checked-out tree."""
    rules = report.all_rules()
    places = {rule.id: index for index, rule in enumerate(rules)}
    driver = {"name": "casemate", "version": version, "semanticVersion": version, "rules": [*map(_rule, rules)]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "Where the command was run."}}},
        "results": [_result(finding, places) for finding in report.findings()],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Rule) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "defaultConfiguration": {"level": rule.severity},
    }
    if rule.remedy:
        shown["help"] = {"text": rule.remedy}
    return shown


def _result(finding: Finding, places: Mapping[str, int]) -> dict[str, object]:
    remedy = f" {finding.remedy}." if finding.remedy else ""
    subject = f"{finding.path}: " if finding.path else ""
    shown: dict[str, object] = {
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": {"text": f"{subject}{finding.message}.{remedy}"},
        "locations": [_location(finding)],
        "partialFingerprints": {"casemate/v1": _fingerprint(finding)},
    }
    if finding.rule in places:
        shown["ruleIndex"] = places[finding.rule]
    if finding.suppressed:
        kind = "inSource" if finding.suppressed.in_source else "external"
        shown["suppressions"] = [{"kind": kind, "justification": finding.suppressed.reason}]
    return shown


def _location(finding: Finding) -> dict[str, object]:
    absolute = finding.file.startswith("/")
    artifact = {
        "uri": ("file://" if absolute else "") + quote(finding.file.removeprefix("./"), errors="surrogateescape")
    }
    if not absolute:
        artifact["uriBaseId"] = "%SRCROOT%"
    region = {"startLine": max(finding.line, 1), "startColumn": max(finding.column, 1)}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _fingerprint(finding: Finding) -> str:
    """The same for a finding that moved to another line."""
    words = "\0".join((finding.rule, finding.file, finding.path, finding.message))
    return hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:32]
