"""The recipe that forces scripts into containers, as an operator writes it and a person sees it work."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.docker import Engine
from tests.docker_runner.conftest import IMAGE, RUNNER
from tests.running import Server, casemate

pytestmark = pytest.mark.slow

FORCED = f"""
kestra:
  tasks:
    defaults:
      - type: io.kestra.plugin.scripts.shell.Commands
        forced: true
        values:
          containerImage: {IMAGE}
          taskRunner: {{type: {RUNNER}}}
"""
FLOW = """
id: forced
namespace: tests.dock
tasks:
  - id: run
    type: io.kestra.plugin.scripts.shell.Commands
    taskRunner: {type: io.kestra.plugin.core.runner.Process}
    commands: ["ls /.dockerenv"]
"""
LONG = """
id: long
namespace: tests.dock
tasks:
  - id: run
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ["echo begun; sleep 6; echo '::{\\"outputs\\":{\\"n\\":1}}::'; echo ended > a.txt"]
    outputFiles: [a.txt]
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    file = tmp_path / "conf.yml"
    file.write_text(FORCED)
    return file


def test_forced_docker_works_as_it_is_documented(engine: Engine, configuration: Path, tmp_path: Path):
    (tmp_path / "flow.yaml").write_text(FLOW)
    there = {"DOCKER_HOST": f"unix://{engine.socket}"}
    result = casemate("run", tmp_path / "flow.yaml", "-c", configuration, "--json", environment=there)
    assert result.returncode == 0, result.stdout + result.stderr
    (run,) = json.loads(result.stdout)["taskRunList"]
    assert run["isolation"]["level"] == "container (docker)"
    assert engine.call("ps", "--all", "--quiet") == ""


@pytest.mark.parametrize(
    ("written", "refused"),
    [
        ("runner: PROCESS", ""),
        ("docker: {networkMode: host}", ""),
        (f"taskRunner: {{type: {RUNNER}, networkMode: host}}", "`networkMode` of the Docker task runner"),
        ("runner: DOCKER, docker: {privileged: true}", "`privileged` of the Docker task runner"),
    ],
)
def test_nothing_in_a_flow_undoes_or_opens_a_forced_container(
    engine: Engine, configuration: Path, tmp_path: Path, written: str, refused: str
):
    commands = "commands: [ls /.dockerenv /sys/class/net]"
    task = f"{{id: run, type: io.kestra.plugin.scripts.shell.Commands, {commands}, {written}}}"
    (tmp_path / "flow.yaml").write_text(f"id: f\nnamespace: tests.dock\ntasks:\n  - {task}\n")
    there = {"DOCKER_HOST": f"unix://{engine.socket}"}
    result = casemate("run", tmp_path / "flow.yaml", "-c", configuration, environment=there)
    if refused:
        assert refused in result.stdout
        assert "/.dockerenv" not in result.stdout
    else:
        assert "/.dockerenv" in result.stdout
        assert "eth0" not in result.stdout
    assert engine.call("ps", "--all", "--quiet") == ""


def test_a_server_that_was_killed_goes_on_with_its_container(
    engine: Engine, configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{engine.socket}")
    first = Server(tmp_path / "state", "-c", str(configuration))
    try:
        assert first.save(LONG).ok
        execution = first.start("tests.dock", "long")["id"]
        container = _the_container(engine)
    finally:
        first.kill()
    second = Server(tmp_path / "state", "-c", str(configuration))
    try:
        ended = second.until_ended(execution)
        (run,) = ended["taskRunList"]
        assert ended["state"]["current"] == "SUCCESS"
        assert run["outputs"]["taskRunner"]["containerId"] == container
        assert run["outputs"]["vars"] == {"n": 1}
        assert list(run["outputs"]["outputFiles"]) == ["a.txt"]
    finally:
        second.stop()
    assert engine.call("ps", "--all", "--quiet") == ""


def _the_container(engine: Engine) -> str:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if found := engine.call("ps", "--quiet", "--no-trunc").split():
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no container was started")
