"""kill -9 while executions wait for a date, or for a person: dates are kept, and no attempt is made twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import requests
from tests.running import Server

RETRIED = """
id: retried
namespace: chaos
tasks:
  - id: shaky
    type: io.kestra.plugin.scripts.shell.Script
    retry: {type: constant, interval: PT6S, maxAttempt: 2}
    script: "exit {{ taskrun.attemptsCount == 0 ? 3 : 0 }}"
"""

RUN_AGAIN = """
id: run-again
namespace: chaos
retry: {type: constant, interval: PT6S, maxAttempt: 2, behavior: CREATE_NEW_EXECUTION}
tasks:
  - {id: fail, type: io.kestra.plugin.core.execution.Fail}
"""

PAUSED = """
id: paused
namespace: chaos
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Pause, delay: PT6S}
  - {id: end, type: io.kestra.plugin.core.log.Log, message: on}
"""

ASKING = """
id: asking
namespace: chaos
tasks:
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
    onResume: [{id: word, type: STRING}]
  - {id: end, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.wait.onResume.word }}"}
"""

LIMITED = """
id: limited
namespace: chaos
concurrency: {limit: 1}
tasks:
  - id: shaky
    type: io.kestra.plugin.scripts.shell.Script
    retry: {type: constant, interval: PT6S, maxAttempt: 2}
    script: "exit {{ taskrun.attemptsCount == 0 ? 3 : 0 }}"
"""


def states(one: dict) -> list[str]:
    return [entry["state"] for entry in one["state"]["histories"]]


def dates(one: dict) -> list[datetime]:
    return [datetime.fromisoformat(entry["date"]) for entry in one["state"]["histories"]]


def until(server: Server, execution: str, state: str) -> dict:
    """The execution once it is in this state."""
    limit = time.monotonic() + 60
    while (found := server.execution(execution))["state"]["current"] != state:
        assert time.monotonic() < limit, f"it should come to {state}, and is {found['state']['current']}"
        time.sleep(0.05)
    return found


class Killed:
    """One state folder, and servers that are killed on it one after the other."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.server = Server(state)

    def begin(self, source: str) -> str:
        """The id of a new execution of this flow."""
        saved = self.server.save(source)
        assert saved.ok, saved.text
        return str(self.server.start("chaos", saved.json()["id"])["id"])

    def again(self) -> Server:
        """Kill it, and start the next one."""
        self.server.kill()
        self.server = Server(self.state)
        return self.server


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Killed]:
    running = Killed(tmp_path / "state")
    try:
        yield running
    finally:
        running.server.stop()


@pytest.mark.slow
def test_a_retry_keeps_its_date(killed: Killed):
    execution = killed.begin(RETRIED)
    before = until(killed.server, execution, "RETRYING")
    killed.again()
    ended = killed.again().until_ended(execution)
    assert ended["state"]["current"] == "SUCCESS"
    (run,) = ended["taskRunList"]
    assert states(run) == ["CREATED", "RUNNING", "FAILED", "RETRYING", "CREATED", "RUNNING", "SUCCESS"]
    assert dates(run)[:4] == dates(before["taskRunList"][0])
    assert (dates(run)[4] - dates(run)[3]).total_seconds() >= 6
    assert [attempt["state"]["current"] for attempt in run["attempts"]] == ["FAILED", "SUCCESS"]


@pytest.mark.slow
def test_a_slot_is_kept_during_a_retry_and_given_on_once(killed: Killed):
    first = killed.begin(LIMITED)
    until(killed.server, first, "RETRYING")
    others = [str(killed.server.start("chaos", "limited")["id"]) for _ in range(2)]
    assert {killed.server.execution(one)["state"]["current"] for one in others} == {"QUEUED"}
    server = killed.again()
    ended = [server.until_ended(one) for one in (first, *others)]
    assert [one["state"]["current"] for one in ended] == ["SUCCESS"] * 3
    begun = [dates(one)[states(one).index("RUNNING")] for one in ended]
    ends = [dates(one)[-1] for one in ended]
    assert all(end <= begin for end, begin in zip(ends, begun[1:], strict=False)), "two ran at the same time"


@pytest.mark.slow
def test_a_flow_is_run_again_once_and_at_its_date(killed: Killed):
    execution = killed.begin(RUN_AGAIN)
    retried = until(killed.server, execution, "RETRIED")
    killed.again()
    server = killed.again()
    again = followed_by(server, execution)
    assert server.until_ended(again)["state"]["current"] == "FAILED"
    ended = server.execution(again)
    assert ended["originalId"] == execution
    assert ended["metadata"]["attemptNumber"] == 2
    assert (dates(ended)[0] - dates(retried)[-1]).total_seconds() >= 6
    assert len(all_of(server, "run-again")) == 2
    assert server.execution(execution) == retried


def all_of(server: Server, flow: str) -> list[dict]:
    """Every execution of a flow."""
    asked = {"filters[flowId][EQUALS]": flow, "size": "100"}
    return list(requests.get(f"{server.api}/executions/search", params=asked, timeout=30).json()["results"])


def followed_by(server: Server, execution: str) -> str:
    """The execution that takes over from a retried one, once it is there."""
    limit = time.monotonic() + 60
    while not (found := [one["id"] for one in all_of(server, "run-again") if one["id"] != execution]):
        assert time.monotonic() < limit, "nobody took over"
        time.sleep(0.05)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.slow
def test_a_pause_ends_by_itself_at_its_date(killed: Killed):
    execution = killed.begin(PAUSED)
    before = until(killed.server, execution, "PAUSED")
    killed.again()
    ended = killed.again().until_ended(execution)
    assert states(ended) == ["CREATED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]
    wait, end = ended["taskRunList"]
    assert states(wait) == ["CREATED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]
    assert dates(wait)[:3] == dates(before["taskRunList"][0])
    assert (dates(wait)[3] - dates(wait)[1]).total_seconds() >= 6
    assert len(end["attempts"]) == 1


@pytest.mark.slow
def test_a_pause_is_resumed_with_inputs_by_the_next_server_and_killed_right_after(killed: Killed):
    execution = killed.begin(ASKING)
    until(killed.server, execution, "PAUSED")
    server = killed.again()
    assert server.execution(execution)["state"]["current"] == "PAUSED"
    resumed = requests.post(
        f"{server.api}/executions/{execution}/actions/resume", files={"word": (None, "onwards")}, timeout=30
    )
    assert resumed.ok, resumed.text
    ended = killed.again().until_ended(execution)
    assert states(ended) == ["CREATED", "RUNNING", "PAUSED", "RESTARTED", "RUNNING", "SUCCESS"]
    wait, end = ended["taskRunList"]
    assert wait["outputs"] == {"onResume": {"word": "onwards"}}
    assert end["outputs"] == {"value": "onwards"}
    assert len(end["attempts"]) <= 1
