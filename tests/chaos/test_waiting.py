"""kill -9 while executions wait for a place or for their date: each goes on in its turn."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.running import Server

LIMITED = """
id: limited
namespace: examples
concurrency: {limit: 1}
tasks:
  - {id: sleep, type: io.kestra.plugin.core.flow.Sleep, duration: PT1S}
"""


def histories(execution: dict) -> list[str]:
    return [entry["state"] for entry in execution["state"]["histories"]]


@pytest.mark.slow
def test_a_queue_survives_the_killed_server(tmp_path: Path):
    state = tmp_path / "state"
    first = Server(state)
    try:
        assert first.save(LIMITED).ok
        created = [str(first.start("examples", "limited")["id"]) for _ in range(4)]
        assert [first.execution(one)["state"]["current"] for one in created[1:]] == ["QUEUED"] * 3
    finally:
        first.kill()
    second = Server(state)
    try:
        assert second.until_ended(created[0])["state"]["current"] == "SUCCESS"
    finally:
        # Now, or a moment later, the next one is let in.
        second.kill()
    third = Server(state)
    try:
        ended = [third.until_ended(one) for one in created]
    finally:
        third.stop()
    assert [histories(one) for one in ended[1:]] == [["CREATED", "QUEUED", "RUNNING", "SUCCESS"]] * 3
    assert [len(one["taskRunList"]) for one in ended] == [1] * 4
    spans = sorted((one["state"]["histories"][-2]["date"], one["state"]["histories"][-1]["date"]) for one in ended)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans)), "two ran at the same time"


@pytest.mark.slow
def test_a_date_survives_the_killed_server(tmp_path: Path):
    state = tmp_path / "state"
    first = Server(state)
    try:
        assert first.save(LIMITED).ok
        date = datetime.now(UTC) + timedelta(seconds=8)
        execution = str(first.start("examples", "limited", scheduleDate=date.isoformat())["id"])
        assert first.execution(execution)["state"]["current"] == "CREATED"
    finally:
        first.kill()
    second = Server(state)
    try:
        ended = second.until_ended(execution)
    finally:
        second.stop()
    assert histories(ended) == ["CREATED", "RUNNING", "SUCCESS"]
    assert datetime.fromisoformat(ended["state"]["histories"][1]["date"]) >= date
