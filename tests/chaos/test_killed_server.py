"""kill -9 at any moment: nothing is lost, nothing is applied twice, no sandbox survives its worker."""

import random
import time
from pathlib import Path

import pytest
from tests.running import EXAMPLES, Server

FLOW = (EXAMPLES / "fan-out.yaml").read_text()
ENDED = {"SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED"}


def processes_of(state: Path) -> list[str]:
    """Command lines of processes that have something to do with this state folder, by argument or open folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            root = (entry / "mountinfo").read_text()
        except OSError:
            continue
        if str(state) in words or str(state) in root:
            found.append(f"{entry.name} {words}")
    return found


def vanished(state: Path, limit: float = 3) -> list[str]:
    until = time.monotonic() + limit
    while (left := processes_of(state)) and time.monotonic() < until:
        time.sleep(0.02)
    return left


def results(execution: dict) -> list[str]:
    return [run["outputs"]["value"] for run in execution["taskRunList"] if run.get("value") is not None]


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(10))
def test_a_killed_server_resumes_its_execution(tmp_path: Path, moment: int):
    chance = random.Random(moment)
    state = tmp_path / "state"
    first = Server(state)
    try:
        assert first.save(FLOW).ok
        execution = str(first.start("examples", "fan-out")["id"])
        time.sleep(chance.uniform(0.05, 2.0))
    finally:
        first.kill()
    assert vanished(state) == []
    second = Server(state)
    try:
        ended = second.until_ended(execution)
    finally:
        second.stop()
    assert ended["state"]["current"] == "SUCCESS"
    assert len(ended["taskRunList"]) == 200
    values = results(ended)
    assert len(values) == len(set(values)) == 199
    for run in ended["taskRunList"]:
        states = [entry["state"] for entry in run["state"]["histories"]]
        assert states.count("SUCCESS") == 1, states
    assert vanished(state) == []
