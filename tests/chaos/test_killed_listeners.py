"""kill -9 while executions start others by the states they come to: each starts what it has to, and once."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest
import requests
from tests.running import Server

SOURCE = """
id: source
namespace: chaos
tasks:
  - id: work
    type: io.kestra.plugin.core.debug.Return
    format: x
"""

LISTENER = """
id: listener
namespace: chaos.more
tasks:
  - id: say
    type: io.kestra.plugin.core.debug.Return
    format: "{{ trigger.state }}"
triggers:
  - id: listen
    type: io.kestra.plugin.core.trigger.Flow
    states: [RUNNING, SUCCESS]
    conditions:
      - type: io.kestra.plugin.core.condition.Expression
        expression: "{{ execution.id | length > 0 }}"
      - type: io.kestra.plugin.core.condition.ExecutionNamespace
        namespace: chaos
"""

BATCH = 40

PAIR = """
id: pair
namespace: chaos.more
tasks:
  - id: say
    type: io.kestra.plugin.core.debug.Return
    format: both
triggers:
  - id: both
    type: io.kestra.plugin.core.trigger.Flow
    preconditions:
      id: both
      timeWindow: {type: SLIDING_WINDOW, window: P1D}
      flows:
        - {namespace: chaos, flowId: source}
        - {namespace: chaos, flowId: other}
"""

ROUNDS = 6


def executions(server: Server, flow: str) -> list[dict]:
    query = {"filters[flowId][EQUALS]": flow, "size": "1000"}
    return requests.get(f"{server.api}/executions/search", params=query, timeout=30).json()["results"]


def until_all_ended(server: Server, flow: str, count: int) -> list[dict]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = executions(server, flow)
        if len(found) >= count and all(one["state"]["current"] == "SUCCESS" for one in found):
            return found
        time.sleep(0.1)
    raise AssertionError(Counter(one["state"]["current"] for one in executions(server, flow)))


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(3))
def test_every_state_is_heard_once_although_the_server_was_killed(tmp_path: Path, moment: int):
    chance = random.Random(moment)
    sources = set()
    for kill in range(2):
        server = Server(tmp_path / "state")
        try:
            if not kill:
                assert server.save(SOURCE).ok
                assert server.save(LISTENER).ok
            sources |= {str(server.start("chaos", "source")["id"]) for _ in range(BATCH)}
            time.sleep(chance.uniform(0, 0.8))
        finally:
            server.kill()
    last = Server(tmp_path / "state")
    try:
        until_all_ended(last, "source", 2 * BATCH)
        until_all_ended(last, "listener", 4 * BATCH)
        time.sleep(0.5)  # whatever was started twice would show by now
        told = Counter(
            (one["trigger"]["variables"]["executionId"], one["trigger"]["variables"]["state"])
            for one in executions(last, "listener")
        )
    finally:
        last.stop()
    assert told == dict.fromkeys(((one, state) for one in sources for state in ("RUNNING", "SUCCESS")), 1)


@pytest.mark.slow
def test_a_window_is_filled_by_each_pair_once_although_the_server_was_killed(tmp_path: Path):
    chance = random.Random(1)
    server = Server(tmp_path / "state")
    closing = []
    try:
        for source in (SOURCE, SOURCE.replace("id: source", "id: other"), PAIR):
            assert server.save(source).ok
        for number in range(2 * ROUNDS):
            name = str(server.start("chaos", ("source", "other")[number % 2])["id"])
            if number % 3 == 2:
                time.sleep(chance.uniform(0, 0.2))
                server.kill()
                server = Server(tmp_path / "state")
            server.until_ended(name)
            closing += [name] if number % 2 else []
        found = until_all_ended(server, "pair", ROUNDS)
    finally:
        server.stop()
    assert sorted(one["trigger"]["variables"]["executionId"] for one in found) == sorted(closing)
