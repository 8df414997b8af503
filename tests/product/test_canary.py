"""A value that was submitted as a SECRET, looked for in all that the product leaves behind and answers."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.running import Server

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


class Watched(Server):
    """Keeps whatever it has answered."""

    def ask(self, verb: str, path: str, **more: Any) -> requests.Response:
        answer = requests.request(verb, f"{self.api}{path}", timeout=60, **more)
        ANSWERS.append(answer.content + repr(answer.headers).encode())
        return answer

    def until(self, execution: str, *states: str) -> dict[str, Any]:
        end = time.monotonic() + 90
        while (found := self.ask("GET", f"/executions/{execution}").json())["state"]["current"] not in states:
            assert time.monotonic() < end, found["state"]
            time.sleep(0.1)
        return found


ANSWERS: list[bytes] = []


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
    found = _traces(state, canary)
    second = Watched(state, "-c", str(configuration))
    try:
        _to_the_end(second, execution, canary)
    finally:
        second.stop()
    assert found + _traces(state, canary) == []


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


def _traces(state: Path, canary: str) -> list[str]:
    """Where the canary sings: in files of the state folder, in the server's log, in answers."""
    places = [*(file for file in state.rglob("*") if file.is_file()), state.with_name(f"{state.name}.log")]
    contents = [(str(place), place.read_bytes()) for place in places]
    contents += [(f"answer {number}", answer) for number, answer in enumerate(ANSWERS)]
    songs = list(_songs(canary.encode()))
    return [f"{place}: {_around(content, song)!r}" for place, content in contents for song in songs if song in content]


def _around(content: bytes, song: bytes) -> bytes:
    at = content.index(song)
    return content[max(at - 120, 0) : at + 60]


def _songs(canary: bytes) -> Iterator[bytes]:
    """It itself, in hexadecimal digits, and within Base64 wherever it begins."""
    yield canary
    yield canary.hex().encode()
    yield canary.hex().upper().encode()
    for before in range(3):
        digits = base64.b64encode(bytes(before) + canary)
        yield digits[(0, 2, 3)[before] : (before + len(canary)) * 8 // 6]
