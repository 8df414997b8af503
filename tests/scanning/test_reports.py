"""The report in its forms: what programs read must be well-formed, whatever a flow holds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from casemate.scanning import (
    BUILTIN,
    Checked,
    Finding,
    Report,
    Severity,
    Suppression,
    as_json,
    as_junit,
    as_sarif,
)

STRANGE = 'a "b" <c> & \x1b[31m \x00 \x08 ￿ \udcff ]]> é 🜚'
GRAVE = Finding(rule="privileged", severity=Severity.ERROR, message="root on the host", file="flows/a b.yml", line=3)
STRANGER = Finding(rule="flow/unknown-type", severity=Severity.ERROR, message=STRANGE, file=STRANGE, path=STRANGE)
LIGHT = Finding(rule="image-without-digest", severity=Severity.NOTE, message="m", file="/abs/c.yml", remedy="r")
ALLOWED = Finding(
    rule="privileged",
    severity=Severity.ERROR,
    message="m",
    file="d.yml",
    suppressed=Suppression(reason=STRANGE, in_source=True),
)
REPORT = Report(
    checked=(
        Checked(file="flows/a b.yml", name="team / a", findings=(GRAVE,)),
        Checked(file=STRANGE, findings=(STRANGER,)),
        Checked(file="/abs/c.yml", name="team / c", findings=(LIGHT,)),
        Checked(file="d.yml", name="team / d", findings=(ALLOWED,)),
    ),
    about_rules=(Finding(rule="suppression-unused", severity=Severity.NOTE, message="m", file="rules.yml"),),
    rules=BUILTIN,
)


def strict(required: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An object with these properties and no other."""
    return {
        "type": "object",
        "properties": required | more,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
MESSAGE = strict({"text": TEXT})
LEVEL = {"enum": ["none", "note", "warning", "error"]}
COUNTED = {"type": "integer", "minimum": 1}
ARTIFACT = strict({"uri": {"type": "string", "pattern": r"^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$"}}, uriBaseId=TEXT)
PLACE = strict({"artifactLocation": ARTIFACT, "region": strict({"startLine": COUNTED, "startColumn": COUNTED})})
RULE = strict(
    {"id": TEXT, "shortDescription": MESSAGE, "defaultConfiguration": strict({"level": LEVEL})},
    help=MESSAGE,
)
SUPPRESSION = strict({"kind": {"enum": ["inSource", "external"]}, "justification": {"type": "string"}})
RESULT = strict(
    {
        "ruleId": TEXT,
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {"type": "array", "items": strict({"physicalLocation": PLACE}), "minItems": 1, "maxItems": 1},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    ruleIndex={"type": "integer", "minimum": 0},
    suppressions={"type": "array", "items": SUPPRESSION, "uniqueItems": True},
)
DRIVER = strict(
    {
        "name": TEXT,
        "version": TEXT,
        "semanticVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
        "rules": {"type": "array", "items": RULE, "uniqueItems": True},
    }
)
RUN = strict(
    {
        "tool": strict({"driver": DRIVER}),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "originalUriBaseIds": {"type": "object", "additionalProperties": strict({"description": MESSAGE})},
        "results": {"type": "array", "items": RESULT},
    }
)
LOG = strict({"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN, "minItems": 1}})
"""What SARIF 2.1.0 (3.13 to 3.35) says of the properties that are written, and that no others are."""


def test_sarif_holds_what_its_standard_asks_for():
    log = json.loads(as_sarif(REPORT, "1.2.3"))
    jsonschema.Draft202012Validator(LOG).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_follows_its_published_schema():
    named = os.environ.get("SARIF_SCHEMA")
    if not named:
        pytest.skip("SARIF_SCHEMA does not name a copy of sarif-schema-2.1.0.json; the test above holds its rules")
    schema = json.loads(Path(named).read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(json.loads(as_sarif(REPORT, "1.2.3")))


def test_sarif_places_files_and_tells_suppressions():
    grave, _, light, allowed, _ = json.loads(as_sarif(REPORT, "1.2.3"))["runs"][0]["results"]
    artifact = grave["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "flows/a%20b.yml", "uriBaseId": "%SRCROOT%"}
    assert light["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///abs/c.yml"}
    assert "suppressions" not in grave
    assert allowed["suppressions"][0]["kind"] == "inSource"


def test_a_fingerprint_does_not_change_when_lines_do():
    def fingerprint(line: int, path: str) -> str:
        finding = Finding(rule="a", severity=Severity.ERROR, message="m", file="f", line=line, path=path)
        report = Report(checked=(Checked(file="f", findings=(finding,)),))
        return str(json.loads(as_sarif(report, "1"))["runs"][0]["results"][0]["partialFingerprints"])

    assert fingerprint(1, "x") == fingerprint(9, "x") != fingerprint(1, "y")


def test_junit_is_well_formed_whatever_a_flow_holds():
    root = ElementTree.fromstring(as_junit(REPORT))
    assert (root.get("tests"), root.get("failures")) == ("5", "2")
    suites = root.findall("testsuite")
    assert [suite.get("failures") for suite in suites] == ["1", "1", "0", "0", "0"]
    (failure,) = suites[0].iter("failure")
    assert failure.get("type") == "privileged"
    assert "flows/a b.yml:3:1: root on the host [privileged]" in (failure.text or "")
    (told,) = suites[1].iter("failure")
    assert told.get("message") == 'a "b" <c> & \\u001b[31m \\u0000 \\u0008 \\uffff \\udcff ]]> é 🜚'
    assert "image-without-digest" in (suites[2].findtext("system-out") or "")


def test_json_says_what_counts_and_why_the_rest_does_not():
    shown = json.loads(as_json(REPORT))
    assert shown["passed"] is False
    assert shown["counts"] == {"error": 2, "warning": 0, "note": 2, "suppressed": 1}
    assert [flow["valid"] for flow in shown["flows"]] == [False, False, True, True]
    assert shown["findings"][3]["suppressed"] == {"reason": STRANGE, "by": "flow"}


def test_what_fails_a_run_can_be_chosen():
    light = Report(checked=REPORT.checked[2:])
    assert not light.fails
    assert Report(checked=REPORT.checked[2:], least=Severity.NOTE).fails
