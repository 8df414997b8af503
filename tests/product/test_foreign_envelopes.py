"""Ciphertexts that somebody copies out of an execution: a flow must not get them opened by handing them on."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from tests.running import Server, server

SEALED = "io.kestra.datatype:aes_encrypted"

OWNER = """
id: owner
namespace: tests.owner
inputs:
  - {id: token, type: SECRET}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: ready}
outputs:
  - {id: kept, type: SECRET, value: "{{ inputs.token }}"}
"""

TASTED = """
  - id: taste
    type: io.kestra.plugin.core.debug.Return
    format: "tasted {{ outputs | toJson }}"
"""

ECHO = """
id: echo
namespace: tests.thief
inputs:
  - {id: given, type: JSON}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hello}
outputs:
  - {id: back, type: JSON, value: "{{ inputs.given | toJson }}"}
"""

HEAD = """
id: thief
namespace: tests.thief
inputs:
  - {id: cipher, type: STRING}
tasks:
"""

WAYS = {
    "values of a task": f"""
  - id: put
    type: io.kestra.plugin.core.output.OutputValues
    values: {{stolen: {{type: "{SEALED}", value: "{{{{ inputs.cipher }}}}"}}}}
""",
    "a list among the values of a task": f"""
  - id: put
    type: io.kestra.plugin.core.output.OutputValues
    values: {{stolen: [[{{type: "{SEALED.upper()}", value: "{{{{ inputs.cipher }}}}"}}]]}}
""",
    "outputs of a script": f"""
  - id: put
    type: io.kestra.plugin.scripts.shell.Commands
    env: {{CIPHER: "{{{{ inputs.cipher }}}}"}}
    commands:
      - |
        printf '::{{"outputs":{{"stolen":{{"type":"{SEALED}","value":"%s"}}}}}}::\\n' "$CIPHER"
""",
    "a value of the store": """
  - {id: put, type: io.kestra.plugin.core.kv.Get, key: stolen}
""",
    "outputs of a subflow": f"""
  - id: put
    type: io.kestra.plugin.core.flow.Subflow
    namespace: tests.thief
    flowId: echo
    inputs: {{given: '{{"type": "{SEALED}", "value": "{{{{ inputs.cipher }}}}"}}'}}
""",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("foreign")
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    (folder / "conf.yml").write_text(f"kestra: {{encryption: {{secret-key: '{key}'}}}}")
    (folder / "conf.yml").chmod(0o600)
    with server(folder / "state", "-c", str(folder / "conf.yml")) as started:
        for flow in (OWNER, ECHO):
            assert started.save(flow).ok
        yield started


@pytest.fixture(scope="module")
def stolen(running: Server) -> tuple[str, str]:
    """A clear text, and what everybody sees of it who may look at the execution."""
    clear = f"owned-{secrets.token_hex(8)}"
    ended = _run(running, "tests.owner", "owner", token=clear)
    assert ended["outputs"]["kept"]["type"] == SEALED
    return clear, ended["outputs"]["kept"]["value"]


def _begin(running: Server, namespace: str, flow: str, **given: str) -> str:
    files = {name: (None, text) for name, text in given.items()}
    answer = requests.post(f"{running.api}/executions/{namespace}/{flow}", files=files, timeout=60)
    assert answer.ok, answer.text
    return str(answer.json()["id"])


def _run(running: Server, namespace: str, flow: str, **given: str) -> dict[str, Any]:
    return running.until_ended(_begin(running, namespace, flow, **given))


def _save(running: Server, source: str) -> None:
    """A flow, or the next revision of it."""
    if not running.save(source).ok:
        lines = dict(line.split(": ", 1) for line in source.strip().splitlines()[:2])
        answer = requests.put(
            f"{running.api}/flows/{lines['namespace']}/{lines['id']}",
            data=source.encode(),
            headers={"Content-Type": "application/x-yaml"},
            timeout=30,
        )
        assert answer.ok, answer.text


@pytest.mark.parametrize("way", WAYS)
def test_a_copied_envelope_is_not_opened(running: Server, stolen: tuple[str, str], way: str):
    clear, cipher = stolen
    kept = json.dumps({"type": SEALED, "value": cipher})
    headers = {"Content-Type": "text/plain"}
    store = f"{running.api}/namespaces/tests.thief/kv/stolen"
    assert requests.put(store, data=kept, headers=headers, timeout=30).ok
    _save(running, HEAD + WAYS[way] + TASTED)
    ended = _run(running, "tests.thief", "thief", cipher=cipher)
    told = json.dumps(ended)
    assert ended["state"]["current"] == "SUCCESS", requests.get(f"{running.api}/logs/{ended['id']}", timeout=30).text
    assert "tasted" in told
    assert cipher in told
    assert clear not in told


PAUSED = """
id: paused
namespace: tests.thief
tasks:
  - id: put
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - {id: given, type: JSON}
      - {id: own, type: SECRET}
  - id: taste
    type: io.kestra.plugin.core.debug.Return
    format: "tasted {{ outputs | toJson }}"
"""


def test_a_copied_envelope_is_not_opened_when_an_execution_goes_on_with_it(running: Server, stolen: tuple[str, str]):
    clear, cipher = stolen
    _save(running, PAUSED)
    execution = _begin(running, "tests.thief", "paused")
    until = time.monotonic() + 60
    while running.execution(execution)["state"]["current"] != "PAUSED":
        assert time.monotonic() < until
        time.sleep(0.05)
    given = {"given": (None, json.dumps({"type": SEALED, "value": cipher})), "own": (None, "my-own-word")}
    assert requests.post(f"{running.api}/executions/{execution}/actions/resume", files=given, timeout=30).ok
    ended = running.until_ended(execution)
    told = json.dumps(ended)
    assert ended["state"]["current"] == "SUCCESS", told
    assert "my-own-word" in told, "what was submitted as a SECRET is clear to templates"
    assert cipher in told
    assert clear not in told


RETYPED = """
id: retyped
namespace: tests.thief
inputs:
  - {{id: given, type: {kind}}}
tasks:
  - id: taste
    type: io.kestra.plugin.scripts.shell.Commands
    env: {{GIVEN: "{{{{ inputs.given }}}}"}}
    commands:
      - |
        printf '::{{"outputs":{{"tasted":"%s"}}}}::\\n' "$(printf %s "$GIVEN" | tr -d '"')"; exit {status}
"""


@pytest.mark.parametrize("again", ["replay", "restart"])
@pytest.mark.parametrize("kind", ["STRING", "JSON"])
def test_an_input_that_becomes_secret_in_another_revision_is_not_taken_for_a_ciphertext(
    running: Server, stolen: tuple[str, str], kind: str, again: str
):
    clear, cipher = stolen
    _save(running, RETYPED.format(kind=kind, status=1))
    given = cipher if kind == "STRING" else json.dumps({"type": SEALED, "value": cipher})
    first = _run(running, "tests.thief", "retyped", given=given)
    source = RETYPED.format(kind="SECRET", status=0)
    _save(running, source)
    revision = requests.get(f"{running.api}/flows/tests.thief/retyped", timeout=30).json()["revision"]
    answer = requests.post(
        f"{running.api}/executions/{first['id']}/actions/{again}", params={"revision": revision}, timeout=30
    )
    assert answer.ok, answer.text
    ended = running.until_ended(answer.json()["id"])
    told = json.dumps(ended)
    assert ended["state"]["current"] == "SUCCESS", told
    assert "tasted" in told
    assert clear not in told
