"""kill -9 while executions wait for one another: every call is carried out once, every end comes back once."""

import random
import time
from pathlib import Path

import pytest
import requests
from tests.running import Server

CHILD = """
id: child
namespace: chaos
inputs:
  - id: number
    type: INT
tasks:
  - id: work
    type: io.kestra.plugin.scripts.shell.Script
    script: "sleep 0.0{{ inputs.number % 5 }}"
outputs:
  - id: number
    type: INT
    value: "{{ inputs.number }}"
"""

EACH = """
id: each
namespace: chaos
tasks:
  - id: write
    type: io.kestra.plugin.scripts.shell.Script
    outputFiles: [items.txt]
    script: seq 1 40 > items.txt
  - id: each
    type: io.kestra.plugin.core.flow.ForEachItem
    items: "{{ outputs.write.outputFiles['items.txt'] }}"
    namespace: chaos
    flowId: child
    inputs:
      number: "{{ taskrun.iteration }}"
"""

CHAIN = """
id: chain
namespace: chaos
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [1, 2, 3, 4, 5, 6]
    concurrencyLimit: 2
    tasks:
      - id: call
        type: io.kestra.plugin.core.flow.Subflow
        namespace: chaos
        flowId: child
        inputs:
          number: "{{ taskrun.value }}"
"""


def started_by(server: Server, execution: str) -> list[dict]:
    answer = requests.get(
        f"{server.api}/executions/search",
        params={"filters[triggerExecutionId][EQUALS]": execution, "size": "1000"},
        timeout=30,
    )
    return answer.json()["results"]


def killed_on_the_way(state: Path, flow: str, source: str, chance: random.Random) -> tuple[dict, list[dict]]:
    """The execution of a flow at its end, after its server was killed twice; and what it has started."""
    execution = ""
    for _ in range(2):
        server = Server(state)
        try:
            if not execution:
                assert server.save(CHILD).ok
                assert server.save(source).ok
                execution = str(server.start("chaos", flow)["id"])
            time.sleep(chance.uniform(0.3, 1.5))
        finally:
            server.kill()
    last = Server(state)
    try:
        return last.until_ended(execution), started_by(last, execution)
    finally:
        last.stop()


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(3))
def test_a_for_each_item_goes_on_after_its_server_was_killed(tmp_path: Path, moment: int):
    ended, started = killed_on_the_way(tmp_path / "state", "each", EACH, random.Random(moment))
    assert ended["state"]["current"] == "SUCCESS"
    runs = {run["taskId"]: run for run in ended["taskRunList"]}
    assert runs["each_items"]["outputs"]["iterations"] == {"CREATED": 0, "RUNNING": 0, "SUCCESS": 40}
    assert sorted(one["outputs"]["number"] for one in started) == list(range(1, 41))
    assert "subflowOutputs" in runs["each_merge"]["outputs"]


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(3))
def test_subflows_go_on_after_their_server_was_killed(tmp_path: Path, moment: int):
    ended, started = killed_on_the_way(tmp_path / "state", "chain", CHAIN, random.Random(moment))
    assert ended["state"]["current"] == "SUCCESS"
    calls = [run for run in ended["taskRunList"] if run["taskId"] == "call"]
    assert [run["outputs"]["outputs"]["number"] for run in sorted(calls, key=lambda run: run["value"])] == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    assert len(started) == 6
    assert all([entry["state"] for entry in run["state"]["histories"]].count("SUCCESS") == 1 for run in calls)
