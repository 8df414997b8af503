"""A real server with secrets: nowhere that people can read is one of them shown, and no task finds another's."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.product.canaries import CANARY, OTHER, SUBMITTED, started, submitted
from tests.running import Server

SHAPES = [CANARY, OTHER, SUBMITTED, CANARY.upper(), CANARY.encode().hex(), CANARY[7:]]
BASE64 = [base64.b64encode(b"x" * before + CANARY.encode()).decode()[3:-4] for before in range(3)]

TELLING = """
id: telling
namespace: tests.told
inputs:
  - {id: password, type: SECRET}
variables: {header: "Bearer {{ secret('CANARY') }}"}
labels: {kind: telling}
tasks:
  - id: log
    type: io.kestra.plugin.core.log.Log
    message:
      - "{{ secret('CANARY') }} {{ inputs.password }}"
      - "{{ render(vars.header) | upper }} {{ secret('CANARY') | base64encode }}"
  - id: script
    type: io.kestra.plugin.scripts.shell.Commands
    allowFailure: true
    env: {TOKEN: "{{ secret('CANARY') }}", PASSWORD: "{{ inputs.password }}"}
    commands:
      - set -x; env; echo $TOKEN >&2; printf %s "$PASSWORD" | base64
      - echo '::{"metrics":[{"name":"'$TOKEN'","type":"counter","value":1,"tags":{"t":"'$TOKEN'"}}]}::'
      - cat /nowhere/$TOKEN
  - id: filtered
    type: io.kestra.plugin.core.http.Request
    uri: "http://127.0.0.1:1/{{ secret('CANARY') }}"
    allowFailure: true
  - id: unable
    type: io.kestra.plugin.core.log.Log
    message: "{{ secret('CANARY') | date(secret('CANARY')) }}"
    allowFailure: true
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    flowId: called
    namespace: tests.told
    inputs: {number: "{{ secret('CANARY') }}"}
    allowFailure: true
  - id: nowhere
    type: io.kestra.plugin.core.flow.Subflow
    flowId: "{{ secret('CANARY') }}"
    namespace: "{{ secret('CANARY') | upper }}"
    allowFailure: true
  - id: extract
    type: io.kestra.plugin.core.flow.Subflow
    flowId: called
    namespace: tests.told
    inputs: {number: 1}
    outputs: {number: "{{ secret('CANARY') | number }}"}
    allowFailure: true
  - id: method
    type: io.kestra.plugin.core.http.Request
    uri: "http://127.0.0.1:1/"
    method: "{{ secret('CANARY') }}"
    allowFailure: true
outputs:
  - {id: number, type: INT, value: "{{ secret('CANARY') }}"}
"""
LOOPING = """
id: looping
namespace: tests.told
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: "{{ secret('CANARY') }}"
    tasks: [{id: one, type: io.kestra.plugin.core.log.Log, message: one}]
"""
CONDITIONAL = """
id: conditional
namespace: tests.told
tasks:
  - id: conditional
    type: io.kestra.plugin.core.log.Log
    runIf: "{{ secret('CANARY') | number }}"
    message: never
"""
CALLED = """
id: called
namespace: tests.told
inputs: [{id: number, type: INT}]
tasks: [{id: log, type: io.kestra.plugin.core.log.Log, message: "{{ inputs.number }}"}]
"""
DEFAULTS = """
id: defaults
namespace: tests.told
inputs:
  - {id: number, type: INT, defaults: "{{ secret('CANARY') }}"}
  - {id: password, type: SECRET, validator: "[0-9]+"}
tasks: [{id: log, type: io.kestra.plugin.core.log.Log, message: x}]
"""
HOOKED = """
id: hooked
namespace: tests.told
tasks: [{id: log, type: io.kestra.plugin.core.log.Log, message: "{{ trigger.body }}"}]
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: "{{ secret('CANARY') }}"
    conditions:
      - {type: io.kestra.plugin.core.condition.Expression, expression: "{{ secret('CANARY') | number > 1 }}"}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server with two secrets and an encryption key."""
    yield from started(tmp_path)


def shows(text: str) -> list[str]:
    """Which forms of a secret are in a text."""
    return [shape for shape in (*SHAPES, *BASE64) if shape in text]


def test_nothing_that_people_can_read_shows_a_secret(server: Server):
    for flow in (TELLING, LOOPING, CONDITIONAL, CALLED, DEFAULTS, HOOKED):
        assert server.save(flow).ok, server.save(flow).text
    begun = submitted(server, "telling", password=SUBMITTED)
    assert begun.ok, begun.text
    identifier = begun.json()["id"]
    ended = server.until_ended(identifier)
    assert [run["taskId"] for run in ended["taskRunList"]][-3:] == ["nowhere", "extract", "method"]
    for flow in ("looping", "conditional"):
        server.until_ended(submitted(server, flow).json()["id"])
    read = {
        "created": begun.text,
        "execution": json.dumps(ended),
        "logs": requests.get(f"{server.api}/logs/{identifier}", timeout=30).text,
        "downloaded": requests.get(f"{server.api}/logs/{identifier}/download", timeout=30).text,
        "searched": requests.get(f"{server.api}/logs/search", timeout=30).text,
        "followed": followed(f"{server.api}/logs/{identifier}/follow"),
        "metrics": requests.get(f"{server.api}/metrics/{identifier}", timeout=30).text,
        "defaults": submitted(server, "defaults", password=SUBMITTED).text,
        "wrong key": requests.post(f"{server.api}/executions/webhook/tests.told/hooked/wrong", timeout=30).text,
        "condition": requests.post(
            f"{server.api}/executions/webhook/tests.told/hooked/{CANARY}", json={"a": 1}, timeout=30
        ).text,
        "evaluated": requests.post(
            f"{server.api}/executions/{identifier}/actions/eval",
            data="{{ secret('CANARY') }} {{ inputs.password }}",
            headers={"Content-Type": "text/plain"},
            timeout=30,
        ).text,
        "server": re.sub("webhook/tests.told/hooked/[^ ]*", "", server.log.read_text()),
    }
    assert not {name: found for name, text in read.items() if (found := shows(text))}
    assert "********" in read["logs"]
    assert read["logs"].count("********") > 15
    assert "Invalid input" in read["defaults"]
    for words in (
        "Invalid json",
        "Unable to find flow",
        "is not a valid number",
        "Invalid method",
        "Unable to resolve",
    ):
        assert words in read["searched"]


def followed(address: str) -> str:
    """What a stream of events tells until it ends."""
    with requests.get(address, stream=True, timeout=30) as answer:
        return b"".join(answer.iter_content(1024)).decode()


def test_the_state_folder_holds_no_secret(server: Server, tmp_path: Path):
    assert server.save(TELLING).ok
    assert server.save(CALLED).ok
    identifier = submitted(server, "telling", password=SUBMITTED).json()["id"]
    server.until_ended(identifier)
    kept = {path: path.read_bytes().decode("latin-1") for path in (tmp_path / "state").rglob("*") if path.is_file()}
    server.stop()
    kept |= {path: path.read_bytes().decode("latin-1") for path in (tmp_path / "state").rglob("*") if path.is_file()}
    assert len(kept) > 1
    assert not {path: found for path, content in kept.items() if (found := shows(content))}
