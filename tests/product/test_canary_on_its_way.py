"""A secret on every way to a task, and in all that goes wrong there: it is found nowhere else, nor after a crash."""

from __future__ import annotations

import base64
import secrets
import time
from pathlib import Path

import pytest
from tests.canary import ANSWERS, Watched, traces
from tests.running import casemate

KEY = "kestra: {encryption: {secret-key: I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK}}"
PLACE = "tests.canary"

SCHEDULED = """
id: scheduled
namespace: tests.canary
inputs: [{id: number, type: INT}]
tasks: [{id: say, type: io.kestra.plugin.core.log.Log, message: never}]
triggers:
  - id: each
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "* * * * * *"
    withSeconds: true
    inputs: {number: "{{ secret('CANARY') }}"}
"""

DATED = """
id: dated
namespace: tests.canary
tasks: [{id: say, type: io.kestra.plugin.core.log.Log, message: never}]
triggers:
  - {id: dates, type: io.kestra.plugin.core.trigger.ScheduleOnDates, dates: ["{{ secret('CANARY') }}"]}
"""

PAUSED = """
id: paused
namespace: tests.canary
tasks:
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
    onResume: [{id: word, type: SECRET, validator: "canary-.*"}]
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.wait.onResume.word }}"}
"""

RESUMES = """
id: resumes
namespace: tests.canary
inputs: [{id: paused, type: STRING}]
tasks:
  - id: wrong
    type: io.kestra.plugin.core.execution.Resume
    executionId: "{{ inputs.paused }}"
    inputs: {word: "not-{{ secret('CANARY') }}"}
    allowFailure: true
  - id: right
    type: io.kestra.plugin.core.execution.Resume
    executionId: "{{ inputs.paused }}"
    inputs: {word: "{{ secret('CANARY') }}"}
"""

FAILS = """
id: fails
namespace: tests.canary
inputs: [{id: token, type: SECRET}]
tasks:
  - id: choose
    type: io.kestra.plugin.core.flow.If
    condition: "{{ (secret('CANARY') ~ inputs.token) | length > 3 }}"
    then:
      - id: fail
        type: io.kestra.plugin.scripts.shell.Commands
        env: {TOKEN: "{{ inputs.token }}"}
        commands: ["echo $TOKEN; cat /nowhere/$TOKEN; exit 3"]
  - {id: never, type: io.kestra.plugin.core.log.Log, message: never}
errors:
  - {id: told, type: io.kestra.plugin.core.log.Log, message: "{{ errorLogs() }} {{ inputs.token }}"}
"""

KILLED = """
id: killed
namespace: tests.canary
inputs: [{id: token, type: SECRET}]
tasks:
  - id: work
    type: io.kestra.plugin.scripts.shell.Script
    env: {TOKEN: "{{ inputs.token }}"}
    script: |
      echo "{{ inputs.token }} $TOKEN"
      echo "::{\\"outputs\\":{\\"begun\\":true}}::"
      sleep 60
"""

ALONE = """
id: alone
namespace: tests.canary
inputs: [{id: token, type: SECRET, validator: "canary-.*"}]
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "it is {{ inputs.token }}"}
  - {id: fail, type: io.kestra.plugin.core.execution.Fail, errorMessage: "no {{ inputs.token }}"}
outputs:
  - {id: kept, type: SECRET, value: "{{ inputs.token }}"}
"""


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> str:
    canary = f"canary-{secrets.token_hex(12)}"
    monkeypatch.setenv("SECRET_CANARY", base64.b64encode(canary.encode()).decode())
    ANSWERS.clear()
    return canary


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    file = tmp_path / "conf.yml"
    file.write_text(KEY)
    file.chmod(0o600)
    return file


def run_of(server: Watched, flow: str) -> str:
    """The one execution that a trigger has started, or another execution."""
    until = time.monotonic() + 60
    while not (found := server.ask("GET", f"/executions/search?flowId={flow}&namespace={PLACE}").json()["results"]):
        assert time.monotonic() < until
        time.sleep(0.1)
    return str(found[0]["id"])


def started(server: Watched, flow: str, **inputs: str) -> str:
    given = {name: (None, value) for name, value in inputs.items()}
    answer = server.ask("POST", f"/executions/{PLACE}/{flow}", files=given)
    assert answer.ok, answer.text
    return str(answer.json()["id"])


@pytest.mark.slow
def test_a_secret_is_found_nowhere_whichever_way_it_takes_and_whatever_fails(
    tmp_path: Path, canary: str, configuration: Path
):
    state = tmp_path / "state"
    first = Watched(state, "-c", str(configuration))
    try:
        for flow in (SCHEDULED, DATED, PAUSED, RESUMES, FAILS, KILLED):
            assert first.save(flow).ok
        assert first.until(run_of(first, "scheduled"), "FAILED")
        _resumed_by_a_task(first)
        _failed_and_run_again(first, canary)
        killed = started(first, "killed", token=canary)
        while "********" not in first.ask("GET", f"/logs/{killed}").text:
            time.sleep(0.1)
    finally:
        first.kill()
    found = traces(state, canary)
    second = Watched(state, "-c", str(configuration))
    try:
        second.ask("DELETE", f"/executions/{killed}/kill")
        second.until(killed, "KILLED", "FAILED", "SUCCESS")
        for flow in ("scheduled", "dated", "fails"):
            second.ask("GET", f"/logs/search?flowId={flow}&namespace={PLACE}&size=100")
    finally:
        second.stop()
    assert found + traces(state, canary) == []


def _resumed_by_a_task(server: Watched) -> None:
    paused = started(server, "paused")
    server.until(paused, "PAUSED")
    resumes = started(server, "resumes", paused=paused)
    assert server.until(resumes, "SUCCESS", "WARNING", "FAILED")["state"]["current"] == "WARNING"
    assert server.until(paused, "SUCCESS", "FAILED")["state"]["current"] == "SUCCESS"


def _failed_and_run_again(server: Watched, canary: str) -> None:
    fails = started(server, "fails", token=canary)
    assert server.until(fails, "SUCCESS", "FAILED")["state"]["current"] == "FAILED"
    assert server.ask("POST", f"/executions/{fails}/actions/restart").ok
    server.until(fails, "FAILED")
    again = server.ask("POST", f"/executions/{fails}/actions/replay", files={"token": (None, f"other-{canary}")})
    server.until(again.json()["id"], "FAILED")


@pytest.mark.parametrize("key", ["", "kestra: {}"], ids=["a key", "no key"])
def test_a_single_run_leaves_and_prints_no_secret(tmp_path: Path, canary: str, configuration: Path, key: str):
    configuration.write_text(key or KEY)
    flow, given, state = tmp_path / "alone.yml", tmp_path / "given.json", tmp_path / "state"
    flow.write_text(ALONE)
    for value in (canary, f"not-{canary}"):
        given.write_text(f'{{"token": "{value}"}}')
        ran = casemate("run", flow, "--inputs", given, "-c", configuration, "--state", state, "--json")
        assert ran.returncode != 0
        assert canary not in ran.stdout + ran.stderr
    state.with_name("state.log").write_text("")
    assert traces(state, canary) == []
