"""A value that was submitted as a SECRET, looked for in all that the product leaves behind and answers."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import pytest
from tests.canary import ANSWERS, Watched, traces

KEY = "I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK"
NEW = "NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY="
CONFIGURATIONS = {
    "alone": f"kestra: {{encryption: {{secret-key: '{KEY}'}}}}",
    "several": (
        f"kestra: {{encryption: {{secret-key: '{KEY}', keys: [{{id: new, secret: '{NEW}', primary: true}}]}}}}"
    ),
}

CHILD = """
id: child
namespace: tests.canary
inputs:
  - {id: token, type: SECRET}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "child has {{ inputs.token }}"}
outputs:
  - {id: back, type: SECRET, value: "{{ inputs.token }}"}
"""

NUMBER = """
id: number
namespace: tests.canary
inputs:
  - {id: number, type: INT}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: never}
"""

MAIN = """
id: main
namespace: tests.canary
inputs:
  - {id: token, type: SECRET, validator: "canary-.*"}
  - {id: list, type: ARRAY, itemType: SECRET}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "it is {{ inputs.token }} and {{ inputs.list }}"}
  - id: script
    type: io.kestra.plugin.scripts.shell.Commands
    env: {TOKEN: "{{ inputs.token }}"}
    commands:
      - echo "token $TOKEN"; echo "base64 $(printf %s "$TOKEN" | base64 -w0)" >&2
      - |
        printf '::{"encryptedOutputs":{"token":"%s"}}::\\n' "$TOKEN"
  - {id: later, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.script.vars.token }}"}
  - id: wrong
    type: io.kestra.plugin.core.log.Log
    message: "{{ inputs.token | date(inputs.token) }}"
    allowFailure: true
  - id: choose
    type: io.kestra.plugin.core.flow.If
    condition: "{{ inputs.token == kv('nothing', errorOnMissing=false) }}"
    then:
      - {id: never, type: io.kestra.plugin.core.log.Log, message: never}
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    namespace: tests.canary
    flowId: child
    inputs: {token: "{{ inputs.token }}"}
  - {id: heard, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.call.outputs.back }}"}
  - id: refused
    type: io.kestra.plugin.core.flow.Subflow
    namespace: tests.canary
    flowId: number
    inputs: {number: "{{ inputs.token }}"}
    allowFailure: true
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - {id: word, type: SECRET}
  - {id: resumed, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.wait.onResume.word }}"}
outputs:
  - {id: kept, type: SECRET, value: "{{ inputs.token }}{{ kv('nothing', errorOnMissing=false) }}"}
  - {id: all, type: ARRAY, itemType: SECRET, value: "{{ inputs.list }}"}
"""

HOOKED = """
id: hooked
namespace: tests.canary
tasks:
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    namespace: tests.canary
    flowId: child
    inputs: {token: "{{ secret('CANARY') }}"}
  - {id: heard, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.call.outputs.back }}"}
triggers:
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: open}
outputs:
  - {id: kept, type: SECRET, value: "{{ secret('CANARY') }}"}
"""


@pytest.mark.slow
@pytest.mark.parametrize("keys", CONFIGURATIONS)
def test_what_was_submitted_as_a_secret_is_found_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: str):
    canary = f"canary-{secrets.token_hex(12)}"
    monkeypatch.setenv("SECRET_CANARY", base64.b64encode(canary.encode()).decode())
    configuration = tmp_path / "conf.yml"
    configuration.write_text(CONFIGURATIONS[keys])
    configuration.chmod(0o600)
    ANSWERS.clear()
    state = tmp_path / "state"
    first = Watched(state, "-c", str(configuration))
    try:
        execution = _up_to_the_pause(first, canary)
    finally:
        first.kill()
    found = traces(state, canary)
    second = Watched(state, "-c", str(configuration))
    try:
        _to_the_end(second, execution, canary)
    finally:
        second.stop()
    assert found + traces(state, canary) == []


def _up_to_the_pause(server: Watched, canary: str) -> str:
    for flow in (CHILD, NUMBER, MAIN, HOOKED):
        assert server.save(flow).ok
    given = {"token": (None, canary), "list": (None, f'["{canary}", "other-{canary}"]')}
    for wrong in ({**given, "token": (None, f"x{canary}")}, {**given, "list": (None, f'["{canary}')}):
        for path in ("/executions/tests.canary/main", "/executions/tests.canary/main/validate"):
            server.ask("POST", path, files=wrong)
        assert server.ask("POST", "/executions/tests.canary/main", files=wrong).status_code == 422
    execution: str = server.ask("POST", "/executions/tests.canary/main", files=given).json()["id"]
    server.until(execution, "PAUSED")
    return execution


def _to_the_end(server: Watched, execution: str, canary: str) -> None:
    resumed = server.ask("POST", f"/executions/{execution}/actions/resume", files={"word": (None, canary)})
    assert resumed.ok, resumed.text
    ended = server.until(execution, "SUCCESS", "WARNING", "FAILED")
    assert ended["outputs"]["kept"]["type"] == "io.kestra.datatype:aes_encrypted", ended
    for template in (
        "{{ inputs.token }}",
        "{{ outputs }}",
        "{{ outputs.script.vars.token }}",
        "{{ secret('CANARY') }}",
    ):
        server.ask(
            "POST", f"/executions/{execution}/actions/eval", data=template, headers={"Content-Type": "text/plain"}
        )
    replayed = server.ask("POST", f"/executions/{execution}/actions/replay").json()["id"]
    server.until(replayed, "PAUSED")
    hooked = server.ask("POST", "/executions/webhook/tests.canary/hooked/open").json()
    server.until(hooked["id"], "SUCCESS", "FAILED")
    for one in (execution, replayed, hooked["id"]):
        logs = server.ask("GET", f"/logs/{one}").text
        assert "********" in logs or "**masked" in logs
    server.ask("GET", "/executions/search")
