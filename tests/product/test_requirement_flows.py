"""What Kestra's security pages show as examples, in our own words: each does what they say, or is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from tests.running import casemate, server

KEY = "I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK"

SEALED = """
id: keeps-a-secret
namespace: tests.product
inputs:
  - {id: token, type: SECRET}
tasks:
  - {id: work, type: io.kestra.plugin.core.log.Log, message: "signing in with {{ inputs.token }}"}
outputs:
  - {id: kept, type: SECRET, value: "{{ inputs.token }}"}
"""

TALKS = """
id: talks
namespace: tests.product
tasks:
  - {id: as-configured, type: io.kestra.plugin.core.log.Log, message: one}
  - {id: as-written, type: io.kestra.plugin.core.log.Log, message: two, level: WARN}
"""

SCRIPT = """
id: script
namespace: tests.product
tasks:
  - {id: run, type: io.kestra.plugin.scripts.shell.Commands, commands: ["echo it ran"]}
"""

DOCKER = """
kestra:
  tasks:
    defaults:
      - type: io.kestra.plugin.scripts.shell.Commands
        forced: true
        values:
          containerImage: debian:stable
          taskRunner: {type: io.kestra.plugin.scripts.runner.docker.Docker}
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.write_text(text)
        return file

    return write


def test_secret_inputs_and_outputs_are_sealed_with_the_key(written):
    configuration = written("conf.yml", f"kestra: {{encryption: {{secret-key: {KEY}}}}}")
    result = casemate(
        "run", written("flow.yaml", SEALED), "-c", configuration, "--json", "--input", "token=open sesame"
    )
    ended = json.loads(result.stdout)
    assert ended["state"]["current"] == "SUCCESS"
    assert ended["outputs"]["kept"]["type"] == "io.kestra.datatype:aes_encrypted"
    assert "open sesame" not in result.stdout + result.stderr


def test_without_a_key_nothing_secret_is_taken_in(written):
    result = casemate("run", written("flow.yaml", SEALED), "--input", "token=open sesame")
    assert result.returncode == 2
    assert "Unable to use a `SECRET` input/output as encryption is not configured" in result.stderr
    assert "open sesame" not in result.stdout + result.stderr


def test_without_a_key_a_secret_output_fails_the_execution(written):
    flow = SEALED.replace("  - {id: token, type: SECRET}", "  - {id: token, type: STRING}")
    result = casemate("run", written("flow.yaml", flow), "--input", "token=x")
    assert result.returncode == 1
    assert "Failed to render output values" in result.stdout
    assert "encryption is not configured" in " ".join(result.stdout.split())


def test_a_plugin_default_gives_a_level_to_tasks_that_have_none(written):
    configuration = "kestra: {plugins: {defaults: [{type: io.kestra.plugin.core.log.Log, values: {level: ERROR}}]}}"
    result = casemate("run", written("flow.yaml", TALKS), "-c", written("conf.yml", configuration))
    lines = [line.split() for line in result.stdout.splitlines() if " | " in line]
    assert [line[:2] for line in lines] == [["ERROR", "as-configured"], ["WARN", "as-written"]]


def test_tasks_that_are_to_run_in_docker_do_not_run_elsewhere(written):
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    result = casemate("run", written("flow.yaml", SCRIPT), "-c", written("conf.yml", DOCKER), environment=nowhere)
    assert result.returncode == 1
    assert "it ran" not in result.stdout
    assert "Docker socket is not accessible" in result.stdout
    assert "Tried Docker host: unix:///nowhere/docker.sock" in result.stdout


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ("authorizedClassPrefix: [io.kestra.plugin.core, io.kestra.plugin.gcp]", "authorized-class-prefix"),
        ("forbiddenClassPrefix: [io.kestra.plugin.scripts]", "forbidden-class-prefix"),
    ],
)
def test_script_tasks_start_nothing_where_their_types_may_not(written, rule, named):
    rules = f"kestra: {{ee: {{javaSecurity: {{enabled: true, forbiddenPaths: [/etc/], {rule}}}}}}}"
    result = casemate("run", written("flow.yaml", SCRIPT), "-c", written("conf.yml", rules))
    assert result.returncode == 1
    assert "it ran" not in result.stdout
    assert f"by 'kestra.ee.java-security.{named}'." in " ".join(result.stdout.split())
    assert casemate("run", written("talk.yaml", TALKS), "-c", written("conf.yml", rules)).returncode == 0


def test_the_address_of_cloud_metadata_is_not_reached(written):
    request = "type: io.kestra.plugin.core.http.Request, uri: 'http://169.254.169.254/latest/'"
    flow = f"id: metadata\nnamespace: tests.product\ntasks: [{{id: get, {request}}}]\n"
    result = casemate("run", written("flow.yaml", flow))
    assert result.returncode == 1
    assert "The sandbox does not permit connections to" in " ".join(result.stdout.split())


UNAVAILABLE = """\
kestra:
  secret:
    isolation: {enabled: true, denied-services: [EXECUTIONER]}
  security: {basic-auth: {password-regexp: ".{20,}"}}
  server: {basic-auth: {username: admin@example.org, password: change-me}}
"""


def test_what_cannot_be_given_is_refused_at_the_start_line_by_line(written):
    configuration = written("conf.yml", UNAVAILABLE)
    result = casemate("server", "local", "--port", "0", "-c", configuration)
    assert result.returncode == 2
    for line, key in (
        (3, "kestra.secret.isolation.denied-services"),
        (4, "kestra.security.basic-auth.password-regexp"),
        (5, "kestra.server.basic-auth.password"),
    ):
        assert any(said.startswith(f"{configuration}:{line}:") and key in said for said in result.stderr.splitlines())


def test_a_server_with_an_account_opens_only_what_is_to_be_open(tmp_path: Path, written):
    configuration = written(
        "conf.yml",
        """
kestra:
  server:
    basic-auth:
      username: admin@example.org
      password: Quite-l0ng-and-unheard-of
      open-urls: ["/api/v1/main/executions/webhook/"]
    liveness: {enabled: true, interval: 5s, timeout: 45s, initial-delay: 45s, heartbeat-interval: 3s}
    termination-grace-period: 5m
  security:
    super-admin: {username: root, password: "${SOME_PASSWORD}"}
    invitations: {expire-after: P30D}
""",
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOME_PASSWORD", "x")
        with server(tmp_path / "state", "-c", str(configuration)) as running:
            assert requests.get(f"{running.api}/flows/search", timeout=30).status_code == 401
            assert requests.get(f"{running.api}/executions/webhook/a.b/none/key", timeout=30).status_code == 404
