"""Where a secret is while flows use it: with the task that names it, and nowhere else."""

from __future__ import annotations

import time
from base64 import b64encode
from pathlib import Path

import pytest
import requests
from tests.running import Server, server

CANARY = "canary-7f3a-sings"
OTHER = "raven-51c0-croaks"
FORMS = tuple(
    form
    for text in (CANARY, OTHER)
    for form in (text.encode(), b64encode(text.encode()), text.encode().hex().encode(), text.encode("utf-16-le"))
)

FLOW = """
id: uses
namespace: tests.secrets
inputs: [{id: name, type: STRING, defaults: CANARY}]
tasks:
  - id: knows
    type: io.kestra.plugin.scripts.shell.Script
    env: {WORD: "{{ secret('CANARY') }}"}
    script: |
      test "$WORD" = canary-$((3 + 4))f3a-sings && echo it is known
      echo "the word is $WORD"
      sleep 0.5
  - id: writes
    type: io.kestra.plugin.scripts.shell.Commands
    commands:
      - test "{{ secret('CANARY') }}" = canary-$((3 + 4))f3a-sings
      - (sleep 0.5; echo it is known twice)
  - id: decodes
    type: io.kestra.plugin.scripts.python.Commands
    interpreter: [bash, -ec]
    beforeCommands: ["code='{{ secret('CANARY') | base64encode }}'"]
    commands: ["echo $code | base64 -d | wc -c", sleep 0.5]
  - id: computes
    type: io.kestra.plugin.core.log.Log
    message: "{{ secret(inputs.name) | length }}"
"""


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, text in (("CANARY", CANARY), ("OTHER", OTHER)):
        monkeypatch.setenv(f"SECRET_{name}", b64encode(text.encode()).decode())
    with server(tmp_path / "state") as started:
        yield started


def _arguments() -> bytes:
    lines = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                lines.append((folder / "cmdline").read_bytes())
            except OSError:
                continue
    return b"\n".join(lines)


def _over(answer: requests.Response) -> bool:
    return answer.json()["state"]["current"] in ("SUCCESS", "FAILED")


def _found(content: bytes) -> list[bytes]:
    return [form for form in FORMS if form in content]


def test_a_secret_is_in_no_file_argument_or_answer(running: Server, tmp_path: Path):
    assert running.save(FLOW).ok
    execution = running.start("tests.secrets", "uses")["id"]
    seen: list[bytes] = []
    while not _over(found := requests.get(f"{running.api}/executions/{execution}", timeout=30)):
        seen += _found(_arguments())
        time.sleep(0.05)
    assert found.json()["state"]["current"] == "SUCCESS", found.text
    assert seen == []
    logs = requests.get(f"{running.api}/logs/{execution}", timeout=30)
    assert "it is known" in logs.text
    assert "it is known twice" in logs.text
    assert "the word is" in logs.text
    for answer in (found, logs):
        assert _found(answer.content) == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "casemate.db" for path in files)
    assert [path for path in files if _found(path.read_bytes())] == []


STORED = """
id: stored
namespace: tests.secrets.deep
tasks:
  - id: length
    type: io.kestra.plugin.core.debug.Return
    format: "{{ secret('KEPT') | length }}"
"""


def test_kestras_client_sets_secrets_that_flows_of_the_namespaces_below_use(tmp_path: Path):
    pytest.importorskip("regex", reason="kestrapy needs it without saying so")
    kestrapy = pytest.importorskip("kestrapy")
    configuration = tmp_path / "conf.yml"
    configuration.write_text("kestra: {secret: {type: jdbc, jdbc: {secret: a-key-of-more-than-thirty-two-letters}}}")
    configuration.chmod(0o600)
    with server(tmp_path / "state", "-c", str(configuration)) as running:
        client = kestrapy.KestraClient(host=running.url, timeout=60)
        given = kestrapy.ApiSecretValue(
            key="KEPT", value=CANARY, description="words", tags=[kestrapy.ApiSecretTag(key="team", value="blue")]
        )
        (made,) = client.namespaces.put_secrets("tests.secrets", "main", given)
        assert (made.key, made.namespace, made.description) == ("KEPT", "tests.secrets", "words")
        listed = client.namespaces.list_secrets("main", page=1, size=10)
        assert ([one.key for one in listed.results], listed.total, listed.read_only) == (["KEPT"], 1, False)
        assert client.namespaces.inherited_secrets("tests.secrets.deep", "main") == {"tests.secrets": ["KEPT"]}
        assert running.save(STORED).ok
        ended = client.executions.create_execution("main", "tests.secrets.deep", "stored", wait=True)
        assert str(ended.state.current).endswith("SUCCESS")
        meta = kestrapy.ApiSecretMetaEE(key="KEPT", description="other words", tags=[])
        (changed,) = client.namespaces.patch_secret("tests.secrets", "KEPT", "main", meta)
        assert (changed.description, changed.tags) == ("other words", [])
        client.namespaces.delete_secret("tests.secrets", "KEPT", "main")
        assert client.namespaces.list_secrets("main").results == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if _found(path.read_bytes())] == []
