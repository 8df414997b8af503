"""`casemate flow validate` as continuous integration calls it: what is read, what is said, and the exit status."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.scanning.bad import BAD, HEAD

GOOD = "id: good\nnamespace: tests.cli\ntasks:\n  - {id: say, type: io.kestra.plugin.core.log.Log, message: hi}\n"
WRONG = GOOD.replace("id: good", "id: wrong").replace("log.Log", "log.Lug")
LEAKY = GOOD.replace("id: good", "id: leaky").replace("hi", "http://169.254.169.254/")


Call = Callable[..., Any]


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    """A folder with a flow that is good, one that is wrong, and one that leaks."""
    folder = tmp_path / "flows"
    (folder / "team").mkdir(parents=True)
    (folder / "good.yaml").write_text(GOOD)
    (folder / "team" / "leaky.yml").write_text(LEAKY)
    (folder / "team" / "wrong.yml").write_text(WRONG)
    (folder / "notes.txt").write_text("no flow")
    return folder


def test_without_a_scan_only_what_is_wrong_counts(validate: Call, flows: Path):
    said = validate(flows)
    assert said.status == 1
    assert said.out.splitlines() == [
        "✓ - tests.cli / good",
        "✓ - tests.cli / leaky",
        f"✘ - {flows}/team/wrong.yml",
        f"  {flows}/team/wrong.yml:4:21: tasks[0]: Invalid type: io.kestra.plugin.core.log.Lug",
    ]


def test_a_scan_finds_more(validate: Call, flows: Path):
    said = validate(flows, "--scan", "builtin")
    assert said.status == 1
    assert re.search(r"leaky\.yml:4:68: tasks\[0\]\.message: 169\.254\.169\.254 is .* \[metadata-address\]", said.out)
    assert said.out.splitlines()[-1] == "3 flows: 2 errors, 0 warnings, 0 notes; 0 suppressed"


def test_nothing_found_is_0(validate: Call, flows: Path):
    assert validate(flows / "good.yaml", "--scan", "builtin").status == 0


@pytest.mark.parametrize(("level", "status"), [("error", 0), ("warning", 0), ("note", 1)])
def test_how_grave_a_finding_must_be_can_be_chosen(validate: Call, tmp_path: Path, level: str, status: int):
    flow = tmp_path / "flow.yaml"
    note = next(bad for bad in BAD if bad.rule == "image-without-digest")
    flow.write_text(HEAD + note.text.replace("§", ""))
    said = validate(flow, "--scan", "builtin", "--fail-on", level)
    assert (said.status, "[image-without-digest]" in said.out) == (status, True)


def test_all_bad_flows_in_one_file_are_found(validate: Call, tmp_path: Path):
    file = tmp_path / "many.yaml"
    file.write_text("---\n".join(HEAD + bad.text.replace("§", "") for bad in BAD))
    findings = json.loads(validate(file, "--scan", "builtin", "--format", "json").out)["findings"]
    begin, found = 1, {(one["rule"], one["line"]) for one in findings}
    for bad in BAD:
        line = begin + (HEAD + bad.text)[: (HEAD + bad.text).index("§")].count("\n")
        assert (bad.rule, line) in found, bad
        begin += (HEAD + bad.text).count("\n") + 1


def test_every_form_tells_the_same(validate: Call, flows: Path):
    shown = json.loads(validate(flows, "--scan", "builtin", "--format", "json").out)
    told = {(one["rule"], Path(one["file"]).name, one["line"]) for one in shown["findings"]}
    assert told == {("metadata-address", "leaky.yml", 4), ("flow/unknown-type", "wrong.yml", 4)}
    (run,) = json.loads(validate(flows, "--scan", "builtin", "--format", "sarif").out)["runs"]
    assert {result["ruleId"] for result in run["results"]} == {"metadata-address", "flow/unknown-type"}
    suites = ElementTree.fromstring(validate(flows, "--scan", "builtin", "--format", "junit").out)
    assert {failure.get("type") for failure in suites.iter("failure")} == {"metadata-address", "flow/unknown-type"}


def test_a_file_of_rules_adds_and_suppresses(validate: Call, flows: Path, tmp_path: Path):
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "rules: [{id: no-log, path: 'tasks[*].type', pattern: 'log[.]Log$', message: no logs}]\n"
        "suppress:\n  - {rule: metadata-address, flow: tests.cli.leaky, reason: a test}\n"
        "  - {rule: privileged, reason: a test}\n"
    )
    said = validate(flows / "good.yaml", flows / "team" / "leaky.yml", "--scan", rules)
    assert said.status == 1
    assert said.out.count("[no-log]") == 2
    assert re.search(
        r"^    suppressed because a test: .*leaky\.yml:4:68: .* \[metadata-address\]$", said.out, re.MULTILINE
    )
    assert f"ℹ - {rules}:4:5: nothing here needs privileged (Remove it) [suppression-unused]" in said.out
    assert said.out.splitlines()[-1] == "2 flows: 0 errors, 2 warnings, 1 note; 1 suppressed"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("absent",), "absent: no such file or directory"),
        (("good.yaml", "--scan", "absent.yml"), "absent.yml: no such file or directory"),
        (("good.yaml", "--scan", "rules.yml"), "rules.yml:1:1: rulez is not known here (there are rules, severities"),
        (("good.yaml", "-c", "conf.yml"), "conf.yml:1:"),
        (("good.yaml", "--fail-on", "never"), "--fail-on"),
        (("good.yaml", "--format", "xml"), "--format"),
        (("good.yaml", "--local", "--server", "http://127.0.0.1:1"), "give --local or --server, not both"),
        (("good.yaml", "--api-token", "x"), "--user, --api-token, --tenant and --headers are for a --server"),
        (("good.yaml", "--server", "http://127.0.0.1:1", "-c", "conf.yml"), "--config is for validation without"),
        (("good.yaml", "--server", "ftp://x"), "--server wants an address such as https://kestra.example.com"),
        (("good.yaml", "--server", "http://u:p@x"), "--server wants an address"),
        (("good.yaml", "--server", "http://x:99999"), "--server wants an address"),
        (("good.yaml", "--server", "http://x", "--user", "u"), "a user is given as USERNAME:PASSWORD"),
        (("good.yaml", "--server", "http://x", "--user", "u:p", "--api-token", "t"), "a user or an API token"),
        (("good.yaml", "--server", "http://x", "--headers", "a"), "a header is given as NAME=VALUE"),
        (("good.yaml", "--server", "http://127.0.0.1:1"), "http://127.0.0.1:1 does not answer: "),
    ],
)
def test_what_cannot_be_done_exits_2(
    validate: Call, flows: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
):
    monkeypatch.chdir(flows)
    (flows / "rules.yml").write_text("rulez: []\n")
    (flows / "conf.yml").write_text("kestra: {plugins: {defaults: 7}}\n")
    said = validate(*arguments)
    assert (said.status, told in said.err, said.out) == (2, True, ""), said


POLICIES = """
kestra:
  policies:
    no-log:
      rules:
        - type: io.kestra.plugin.ee.rules.Deny
          on: PLUGIN
          where: [{field: type, operator: EQUAL_TO, value: io.kestra.plugin.core.log.Log}]
          action: %s
          errorMessage: Ask the platform team
"""


@pytest.mark.parametrize(("action", "status", "severity"), [("BLOCK", 1, "error"), ("WARN", 0, "note")])
def test_policies_of_a_configuration_count(
    validate: Call, flows: Path, tmp_path: Path, action: str, status: int, severity: str
):
    (tmp_path / "conf.yml").write_text(POLICIES % action)
    said = validate(flows / "good.yaml", "-c", tmp_path / "conf.yml", "--format", "json")
    (finding,) = json.loads(said.out)["findings"]
    assert (said.status, finding["severity"]) == (status, severity)
    assert (finding["rule"], finding["path"], finding["line"], finding["column"]) == (
        "flow/policy",
        "tasks[0].type",
        4,
        21,
    )
    assert finding["message"].endswith("is not allowed. Ask the platform team")


def test_links_are_not_followed_out_of_the_folder(validate: Call, flows: Path, tmp_path: Path):
    (tmp_path / "hidden.yaml").write_text("key: a secret of the machine\n")
    (flows / "link.yaml").symlink_to(tmp_path / "hidden.yaml")
    (flows / "round.yaml").symlink_to(flows / "round.yaml")
    (flows / "again.yaml").symlink_to(flows / "good.yaml")
    (flows / "up").symlink_to(tmp_path)
    said = validate(flows)
    assert f"✘ - {flows}/link.yaml: is a link that leads out of the folder, and is not followed" in said.out
    assert f"✘ - {flows}/round.yaml: is no file that can be read" in said.out
    assert said.out.count("✓ - tests.cli / good") == 2
    assert "secret of the machine" not in said.out


@pytest.mark.parametrize("name", ["zero", "pipe", "large"])
def test_only_regular_files_of_some_size_are_read(validate: Call, flows: Path, name: str):
    (flows / "zero").symlink_to("/dev/zero")
    os.mkfifo(flows / "pipe")
    (flows / "large").touch()
    os.truncate(flows / "large", 1 << 40)
    reason = "is larger than 16777216 bytes" if name == "large" else "is no regular file"
    said = validate(flows / "good.yaml", "--scan", flows / name)
    assert (said.status, said.err) == (2, f"casemate: {flows}/{name}: {reason}\n")
    if name != "large":
        assert validate(flows / name).err == said.err


def test_a_configuration_without_an_end_is_refused(validate: Call, flows: Path):
    said = validate(flows / "good.yaml", "-c", "/dev/zero")
    assert (said.status, said.err) == (2, "casemate: /dev/zero: is larger than 16777216 bytes\n")


def test_a_relative_name_leads_nowhere_else(
    validate: Call, flows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    (checkout / "sub").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "hidden.yaml").write_text("key: a secret of the machine\n")
    (checkout / "flows").symlink_to(elsewhere)
    (checkout / "one.yaml").symlink_to(elsewhere / "hidden.yaml")
    (checkout / "same").symlink_to(checkout / "sub")
    (checkout / "sub" / "good.yaml").write_text(GOOD)
    monkeypatch.chdir(checkout)
    for name in ("flows", "one.yaml", "./flows/hidden.yaml", "flows/../flows", "sub/../flows"):
        said = validate(name)
        assert (said.status, "leads elsewhere by a link" in said.err, said.out) == (2, True, ""), name
    assert [validate(name).status for name in ("same", "sub", ".", "../checkout/sub", flows / "good.yaml")] == [
        0,
        0,
        1,
        0,
        0,
    ]


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory; whatever depth it gets, it is removed, which Python could not do."""
    (tmp_path / "top").mkdir()
    monkeypatch.chdir(tmp_path / "top")
    yield tmp_path / "top"
    subprocess.run(["rm", "-rf", tmp_path / "top"], check=True)


def test_no_depth_of_folders_is_too_deep(validate: Call, top: Path):
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    Path("leaky.yaml").write_text(LEAKY)
    assert "[metadata-address]" in validate(top, "--scan", "builtin").out
    for _ in range(1200):
        os.mkdir("long")
        os.chdir("long")
    said = validate(top)
    assert (said.status, said.err.endswith(": file name too long\n"), len(said.err) < 300) == (2, True, True)


def test_odd_files_are_told_and_do_not_stop_the_rest(validate: Call, flows: Path):
    os.mkfifo(flows / "a-pipe.yaml")
    (flows / "b-folder.yaml").mkdir()
    (flows / "c-binary.yaml").write_bytes(b"\xff\xfe\x00")
    (flows / "d-large.yaml").write_bytes(b"# " + b"x" * (16 << 20))
    (flows / "e-empty.yaml").write_bytes(b"")
    said = validate(flows)
    assert f"✘ - {flows}/a-pipe.yaml: is no file that can be read" in said.out
    assert f"✘ - {flows}/c-binary.yaml: is not UTF-8 text (byte 0)" in said.out
    assert f"✘ - {flows}/d-large.yaml: is larger than 16777216 bytes" in said.out
    assert f"{flows}/e-empty.yaml:1:1: Illegal flow yaml: No content" in said.out
    assert "✓ - tests.cli / good" in said.out


def test_names_and_values_cannot_write_lines_of_their_own(validate: Call, flows: Path):
    (flows / "a\n::error::b\x1b[31m.yaml").write_text(WRONG)
    (flows / "c.yaml").write_text(
        LEAKY.replace("message: ", 'message: "a\\n::set-output name=x::http://').replace("/}", '/"}')
    )
    said = validate(flows, "--scan", "builtin")
    assert not [line for line in said.out.splitlines() if line.startswith("::") or "\x1b" in line]


def test_what_is_deprecated_has_a_place_in_reports(validate: Call, tmp_path: Path):
    flow = tmp_path / "old.yaml"
    flow.write_text(GOOD.replace("plugin.core.log", "core.tasks.log") + "listeners: []\n")
    said = validate(flow, "--format", "json")
    findings = json.loads(said.out)["findings"]
    assert said.status == 0
    assert {one["severity"] for one in findings} == {"note"}
    assert ("flow/deprecated", 5) in {(one["rule"], one["line"]) for one in findings}


def test_names_and_values_cannot_command_what_runs_the_check(
    validate: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "::error::a.yaml").write_text(WRONG)
    (tmp_path / "b.yaml").write_text(WRONG.replace("log.Lug", "##vso[task.setvariable variable=A]##[error]x"))
    (tmp_path / "rules.yml").write_text('"a\\n::error::b##[error]": 1\n')
    said = validate(".")
    lines = [line.strip() for line in said.out.splitlines()]
    assert not [line for line in lines if line.startswith("::") or "##[" in line or "##vso[" in line], lines
    assert len(validate("b.yaml", "--scan", "rules.yml").err.splitlines()) == 1


def test_names_that_no_encoding_knows_are_written_in_every_form(validate: Call, tmp_path: Path):
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text(WRONG)
    for form in ("text", "json", "sarif", "junit"):
        said = validate(tmp_path, "--format", form)
        assert (said.status, bool(said.out.encode())) == (1, True)


def test_no_spelling_of_the_ending_hides_a_flow(validate: Call, tmp_path: Path):
    for name in (".yaml", "a.YAML", "b.Yml"):
        (tmp_path / name).write_text(LEAKY)
    assert validate(tmp_path, "--scan", "builtin").out.count("[metadata-address]") == 3


def test_an_option_of_a_container_that_nobody_grants_is_told_with_its_place(validate: Call, tmp_path: Path):
    flow, granting = tmp_path / "flow.yaml", tmp_path / "conf.yml"
    runner = "{type: io.kestra.plugin.scripts.runner.docker.Docker, privileged: true}"
    task = f"{{id: t, type: io.kestra.plugin.scripts.shell.Commands, commands: [ls], taskRunner: {runner}}}"
    flow.write_text(f"id: f\nnamespace: tests.cli\ntasks:\n  - {task}\n")
    granting.write_text("casemate: {isolation: {docker: {grants: [privileged]}}}")
    said, place = validate(flow), f"{flow}:4:{task.index('true') + 5}: tasks[0].taskRunner.privileged: "
    assert said.status == 1
    assert f"{place}`privileged` of the Docker task runner is not granted" in said.out
    assert validate(flow, "-c", granting).status == 0
