"""The GitHub Action and the GitLab job of the documents: their own command lines, run as their systems run them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from tests.running import ROOT

GOOD = "id: good\nnamespace: tests.cli\ntasks:\n  - {id: say, type: io.kestra.plugin.core.log.Log, message: hi}\n"
LEAKY = GOOD.replace("id: good", "id: leaky").replace("hi", "http://169.254.169.254/")
PAGE = ROOT / "docs" / "how-to" / "check-flows-in-ci.md"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
WORKFLOW = next(block for block in BLOCKS if "jobs" in block)
JOB = next(block["validate-flows"] for block in BLOCKS if "validate-flows" in block)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with flows."""
    (tmp_path / "repository" / "flows").mkdir(parents=True)
    (tmp_path / "repository" / "flows" / "good.yaml").write_text(GOOD)
    return tmp_path / "repository"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A clone of Casemate as far as the command lines see it; it runs this one without a set-up of its own."""
    scripts = tmp_path / "casemate" / "scripts"
    scripts.mkdir(parents=True)
    python = tmp_path / "casemate" / "bin" / "python"
    python.parent.mkdir()
    shutil.copy(ROOT / "scripts" / "casemate", scripts)
    (scripts / "lib.sh").write_text(f"venv={shlex.quote(str(tmp_path / 'casemate'))}\nensure() {{ :; }}\n")
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT / "src"}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return tmp_path / "casemate"


def step(checkout: Path, installed: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """The step of the action with these inputs, as a runner of GitHub's starts it."""
    (only,) = ACTION["runs"]["steps"]
    inputs = {name: str(one["default"]) for name, one in ACTION["inputs"].items()} | given
    environment = {name: filled(value, inputs) for name, value in only["env"].items()}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", only["run"]],
        cwd=checkout,
        env={**os.environ, **environment, "GITHUB_ACTION_PATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def filled(value: str, inputs: dict[str, str]) -> str:
    if plain := re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value):
        return inputs[plain[1]]
    assert value == "${{ inputs.user && format('{0}:{1}', inputs.user, inputs.password) || '' }}"
    return f"{inputs['user']}:{inputs['password']}" if inputs["user"] else ""


def test_the_action_lets_good_flows_pass(checkout: Path, installed: Path):
    done = step(checkout, installed)
    assert (done.returncode, "✓ - tests.cli / good" in done.stdout) == (0, True), done.stderr


def test_the_action_stops_bad_flows_and_writes_what_code_scanning_reads(checkout: Path, installed: Path):
    (checkout / "flows" / "leaky.yml").write_text(LEAKY)
    done = step(checkout, installed, sarif="flows.sarif")
    assert (done.returncode, "[metadata-address]" in done.stdout) == (1, True), done.stderr
    (run,) = json.loads((checkout / "flows.sarif").read_text())["runs"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "flows/leaky.yml", "uriBaseId": "%SRCROOT%"}
    assert place["region"]["startLine"] == 4


def test_the_action_stops_when_it_cannot_ask_the_server(checkout: Path, installed: Path):
    done = step(checkout, installed, server="http://127.0.0.1:1", user="a", password="b", sarif="flows.sarif")
    assert (done.returncode, "does not answer" in done.stderr) == (2, True)


def test_the_action_scans_or_not_as_it_is_told(checkout: Path, installed: Path):
    (checkout / "flows" / "leaky.yml").write_text(LEAKY)
    assert step(checkout, installed, scan="none").returncode == 0


def test_no_input_of_the_action_is_a_command(checkout: Path, installed: Path):
    for name in ("directory", "scan", "fail-on", "sarif", "server"):
        step(checkout, installed, **{name: '"; touch broken; "$(touch broken)'})
    assert step(checkout, installed, directory="--help").returncode == 2
    assert not (checkout / "broken").exists()
    assert "${{" not in ACTION["runs"]["steps"][0]["run"]


def test_nothing_of_the_checked_repository_is_imported(checkout: Path, installed: Path):
    (checkout / "flows" / "leaky.yml").write_text(LEAKY)
    for module in ("casemate/__init__", "casemate/__main__", "cyclopts", "json", "sitecustomize"):
        (checkout / module).parent.mkdir(exist_ok=True)
        (checkout / f"{module}.py").write_text("open('ran', 'w'); raise SystemExit(0)\n")
    assert step(checkout, installed).returncode == 1
    assert shell(JOB["script"], checkout, installed).returncode == 1
    assert not (checkout / "ran").exists()


def test_the_report_is_not_written_through_a_link(checkout: Path, installed: Path, tmp_path: Path):
    (tmp_path / "profile").write_text("as it was")
    (checkout / "flows.sarif").symlink_to(tmp_path / "profile")
    assert step(checkout, installed, sarif="flows.sarif").returncode == 0
    assert (tmp_path / "profile").read_text() == "as it was"
    assert json.loads((checkout / "flows.sarif").read_text())["version"] == "2.1.0"


def test_the_set_up_runs_nothing_of_the_folder_it_is_called_in():
    words = (ROOT / "scripts" / "lib.sh").read_text()
    calls = re.findall(r'"\$(?:1|venv/bin/python)" (-[Pcm] .*)', words)
    assert len(calls) >= 8
    # Python that may be too old for -P only looks at its own version, and imports what is built in.
    assert all(call.startswith(("-P ", "-c 'import sys; ")) for call in calls), calls


def test_the_workflow_gives_the_action_what_it_knows():
    uses = [one for one in WORKFLOW["jobs"]["validate"]["steps"] if "casemate@" in one["uses"]]
    assert uses
    assert all(set(one["with"]) <= set(ACTION["inputs"]) for one in uses)


def shell(lines: list[str], checkout: Path, installed: Path) -> subprocess.CompletedProcess[str]:
    """The lines of a job, as a runner of GitLab's starts them."""
    text = "\n".join(lines).replace("/opt/casemate", str(installed))
    return subprocess.run(["bash", "-e", "-c", text], cwd=checkout, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("flow", "status", "failures"), [(GOOD, 0, "0"), (LEAKY, 1, "1")], ids=["good", "leaky"])
def test_the_job_of_gitlab_decides_and_reports(checkout: Path, installed: Path, flow: str, status: int, failures: Any):
    (checkout / "flows" / "other.yml").write_text(flow)
    assert shell(JOB["script"], checkout, installed).returncode == status
    assert shell(JOB["after_script"], checkout, installed).returncode == status
    report = ElementTree.fromstring((checkout / JOB["artifacts"]["reports"]["junit"]).read_text())
    assert report.get("failures") == failures


def test_the_rules_of_the_page_are_read(tmp_path: Path, validate: Any):
    (tmp_path / "flow.yaml").write_text(GOOD)
    blocks = re.findall(r"```yml\n(rules:.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "rules.yml").write_text(blocks[0])
    said = validate(tmp_path / "flow.yaml", "--scan", tmp_path / "rules.yml")
    assert (said.status, said.err) == (0, "")


def test_the_suppression_of_the_page_holds(tmp_path: Path, validate: Any):
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "flow.yaml").write_text(block)
    said = validate(tmp_path / "flow.yaml", "--scan", "builtin")
    assert (said.status, "1 suppressed" in said.out) == (0, True), said.out
