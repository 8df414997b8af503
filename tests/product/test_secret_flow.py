"""The flow with a SECRET input and output of Kestra's page on encryption: who may see its secret, and who may not."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.running import Server, casemate, server

from casemate.api.table import TABLE

FLOW = """\
id: my_secret_flow
namespace: company.team

inputs:
  - id: secret
    type: SECRET

tasks:
  - id: mytask
    type: io.kestra.plugin.core.log.Log
    message: task that needs the secret to connect to an external system

outputs:
  - id: secret_output
    type: SECRET
    value: "{{ inputs.secret }}"
"""
CALLER = """\
id: caller
namespace: company.team
inputs:
  - {id: word, type: SECRET}
tasks:
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    namespace: company.team
    flowId: my_secret_flow
    inputs: {secret: "{{ inputs.word }}"}
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "got {{ outputs.call.outputs.secret_output }}"}
  - id: same
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.call.outputs.secret_output == inputs.word }}"
"""
SEALED = "io.kestra.datatype:aes_encrypted"
WORD = "Op3n-sesame-and-n0thing-else"


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the page says, with the key that its command makes."""
    key = subprocess.run(["openssl", "rand", "-base64", "32"], capture_output=True, text=True, check=True).stdout
    file = tmp_path_factory.mktemp("key") / "kestra.yml"
    file.write_text(f"kestra:\n  encryption:\n    secret-key: {key}")
    file.chmod(0o600)
    return file


@pytest.fixture(scope="module")
def running(configuration: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("server") / "state", "-c", str(configuration)) as started:
        assert started.save(FLOW).ok
        assert started.save(CALLER).ok
        yield started


def _started(running: Server, flow: str, **given: str) -> requests.Response:
    files = {name: (None, text) for name, text in given.items()}
    return requests.post(f"{running.api}/executions/company.team/{flow}", files=files, timeout=60)


def _answers(running: Server, execution: dict[str, object]) -> Iterator[tuple[str, bytes]]:
    """Whatever can be looked at, for this execution where one is named."""
    (run, *_) = execution["taskRunList"]  # type: ignore[misc]  # an object of JSON
    named = {"tenant": "main", "execution_id": execution["id"], "task_run_id": run["id"], "id": execution["flowId"]}
    named |= {"namespace": "company.team", "flow_id": execution["flowId"], "flowId": execution["flowId"]}
    for operation in TABLE:
        if operation.verb != "GET":
            continue
        path = re.sub(r"{([^}:]+)[^}]*}", lambda hole: str(named.get(hole[1], "x")), operation.path)
        with requests.get(f"{running.url}{path}", timeout=30, stream=True) as answer:
            follows = "event-stream" in answer.headers.get("Content-Type", "")
            yield path, next(answer.iter_content(1 << 16), b"") if follows else answer.content


def test_the_flow_of_the_page_runs_and_nobody_is_shown_its_secret(running: Server):
    begun = _started(running, "my_secret_flow", secret=WORD)
    assert begun.ok, begun.text
    ended = running.until_ended(begun.json()["id"])
    assert ended["state"]["current"] == "SUCCESS"
    assert ended["outputs"]["secret_output"]["type"] == SEALED
    assert WORD not in begun.text
    seen = dict(_answers(running, ended))
    assert any(ended["outputs"]["secret_output"]["value"].encode() in content for content in seen.values())
    assert [path for path, content in seen.items() if WORD.encode() in content] == []
    templates = {"{{ inputs.secret }}": WORD, "{{ outputs }}": WORD, "{{ inputs.secret | base64encode }}": "T3Azbi"}
    for template, clear in templates.items():
        shown = requests.post(
            f"{running.api}/executions/{ended['id']}/actions/eval",
            data=template,
            headers={"Content-Type": "text/plain"},
            timeout=30,
        )
        assert clear not in shown.text


def test_the_flow_that_calls_it_has_its_output_in_the_clear_and_does_not_tell_it(running: Server):
    ended = running.until_ended(_started(running, "caller", word=WORD).json()["id"])
    assert ended["state"]["current"] == "SUCCESS"
    outputs = {run["taskId"]: run.get("outputs") for run in ended["taskRunList"]}
    assert outputs["call"]["outputs"]["secret_output"]["type"] == SEALED
    assert outputs["same"] == {"value": "true"}
    logs = requests.get(f"{running.api}/logs/{ended['id']}", timeout=30).text
    assert "got ********" in logs
    assert WORD not in logs + json.dumps(ended)


def test_it_runs_from_the_command_line(configuration: Path, tmp_path: Path):
    flow = tmp_path / "flow.yaml"
    flow.write_text(FLOW)
    result = casemate("run", flow, "-c", configuration, "--json", "--input", f"secret={WORD}")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["outputs"]["secret_output"]["type"] == SEALED
    assert WORD not in result.stdout + result.stderr


def test_without_a_key_it_is_not_started_and_the_answer_tells_nothing(tmp_path: Path):
    with server(tmp_path / "state") as keyless:
        assert keyless.save(FLOW).ok
        for path in ("my_secret_flow", "my_secret_flow/validate"):
            answer = _started(keyless, path, secret=WORD)
            assert "Unable to use a `SECRET` input/output as encryption is not configured" in answer.text
            assert WORD not in answer.text
        assert _started(keyless, "my_secret_flow", secret=WORD).status_code == 422
        found = requests.get(f"{keyless.api}/executions/search", timeout=30).json()
        assert found["results"] == []
        assert WORD not in keyless.log.read_text()
