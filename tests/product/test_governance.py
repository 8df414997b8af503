"""What an operator forces, in the words of Kestra's pages on worker isolation, and of policies, as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.running import casemate

from casemate.core import configured
from casemate.errors import Refused
from casemate.flows import Flow, read_flow
from casemate.identifiers import MAIN
from casemate.settings import load

SHELL = "io.kestra.plugin.scripts.shell.Commands"
DOCKER = "io.kestra.plugin.scripts.runner.docker.Docker"
PROCESS = "io.kestra.plugin.core.runner.Process"

PLAIN = """
kestra:
  plugins:
    defaults:
    - type: io.kestra.plugin.core.log.Log
      values:
        level: ERROR
"""
FORCED = """
kestra:
  tasks:
    defaults:
      - type: io.kestra.plugin.scripts.shell.Commands
        forced: true
        values:
          containerImage: ubuntu:latest
          taskRunner:
            type: io.kestra.plugin.scripts.runner.docker.Docker
"""
POLICY = """
kestra:
  policies:
    no-returns:
      rules:
        - type: io.kestra.plugin.ee.rules.Deny
          on: PLUGIN
          where: [{field: type, operator: EQUAL_TO, value: io.kestra.plugin.core.debug.Return}]
          errorMessage: Ask the platform team.
"""


def run_under(configuration: str, *tasks: str) -> Flow:
    """A flow as it is run under a configuration."""
    settings = load([("kestra.yml", configuration)], {}).settings
    source = "id: f\nnamespace: tests.product\ntasks:\n" + "".join(f"  - {task}\n" for task in tasks)
    flow = read_flow(source, configured(settings), MAIN, complete=True)
    assert isinstance(flow, Flow), flow
    assert flow.source == source
    return flow


def test_a_default_is_for_tasks_that_do_not_say_otherwise():
    log = "type: io.kestra.plugin.core.log.Log, message: x"
    silent, loud = run_under(PLAIN, f"{{id: a, {log}}}", f"{{id: b, {log}, level: WARN}}").tasks
    assert (silent.properties["level"], loud.properties["level"]) == ("ERROR", "WARN")


@pytest.mark.parametrize("spelled", [FORCED, FORCED.replace("  tasks:", "  plugins:")])
@pytest.mark.parametrize(
    "own",
    [
        "containerImage: mine",
        f"taskRunner: {{type: {PROCESS}}}",
        "runner: PROCESS",
        "runner: DOCKER, docker: {image: mine}",
    ],
)
def test_a_forced_default_is_for_every_task_of_its_type(spelled, own):
    (task,) = run_under(spelled, f"{{id: a, type: {SHELL}, commands: [ls], {own}}}").tasks
    assert task.properties["containerImage"] == "ubuntu:latest"
    assert task.properties["taskRunner"]["type"] == DOCKER
    assert not {"runner", "docker"} & task.properties.keys()


def test_a_type_that_nobody_listed_is_forced_by_what_it_can_do():
    listed = run_under(FORCED, "{id: a, type: io.kestra.plugin.scripts.python.Script, script: x}").tasks[0]
    assert listed.properties["taskRunner"] == {"type": PROCESS}
    everything = f"casemate: {{isolation: {{scripts: {{force-runner: {DOCKER}}}}}}}"
    for kind in ("python.Script, script: x", "node.Commands, commands: [x]", "shell.Script, script: x"):
        (task,) = run_under(everything, f"{{id: a, type: io.kestra.plugin.scripts.{kind}, runner: PROCESS}}").tasks
        assert task.properties["taskRunner"]["type"] == DOCKER, kind


def test_a_flow_that_a_policy_refuses_is_not_run(tmp_path: Path):
    flow, configuration = tmp_path / "flow.yaml", tmp_path / "conf.yml"
    flow.write_text(
        "id: f\nnamespace: tests.product\ntasks:\n  - {id: a, type: io.kestra.core.tasks.debugs.Return, format: x}\n"
    )
    configuration.write_text(POLICY)
    said = (
        "flow.yaml:4:19: tasks[0].type: Flow 'tests.product.f' is refused: Policy 'no-returns' (STATIC), "
        "rule 1 (Deny): 'a' of type 'io.kestra.core.tasks.debugs.Return' is not allowed. Ask the platform team."
    )
    ran = casemate("run", flow, "-c", configuration)
    assert (ran.returncode, said in ran.stderr) == (2, True), ran.stderr
    checked = casemate("flow", "validate", flow, "-c", configuration)
    assert (checked.returncode, said in checked.stdout) == (1, True), checked.stdout


def test_the_server_does_not_start_with_a_policy_that_it_cannot_apply(tmp_path: Path):
    configuration = tmp_path / "conf.yml"
    configuration.write_text(POLICY.replace("EQUAL_TO", "GREATER_THAN"))
    result = casemate("server", "local", "--port", "0", "--state", tmp_path / "state", "-c", configuration)
    assert result.returncode != 0
    assert (
        "conf.yml:3:3: kestra.policies: policy no-returns.rules[0].where[0].operator: input should be" in result.stderr
    )
    assert "the server does not start with a rule that it cannot apply" in result.stderr


def test_the_server_does_not_start_with_a_forced_runner_that_is_not_there(tmp_path: Path):
    configuration = tmp_path / "conf.yml"
    configuration.write_text("casemate: {isolation: {scripts: {force-runner: company.Missing}}}")
    result = casemate("server", "local", "--port", "0", "--state", tmp_path / "state", "-c", configuration)
    assert result.returncode != 0
    assert "force-runner: there is no task runner 'company.Missing'" in result.stderr


def test_a_forced_default_for_a_property_that_its_type_has_not_stops_the_start(tmp_path: Path):
    configuration = tmp_path / "conf.yml"
    configuration.write_text(FORCED.replace("containerImage", "containerImg"))
    result = casemate("flow", "validate", tmp_path, "-c", configuration)
    assert result.returncode == 2
    assert (
        f"Invalid plugin default configuration: No property 'containerImg' exists in plugin '{SHELL}'" in result.stderr
    )


def test_malformed_settings_are_refused_by_whoever_loads_them():
    with pytest.raises(Refused):
        load([("kestra.yml", "kestra: {policies: [{id: a}]}")], {})
