"""kill -9 at any moment: nothing is lost, nothing is applied twice, no sandbox survives its worker."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.running import EXAMPLES, Server

FLOW = (EXAMPLES / "fan-out.yaml").read_text()


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


class Again:
    """A server that is killed and started again on the same state, as a supervisor would."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.server = Server(state)

    def kill(self) -> None:
        self.server.kill()
        assert vanished(self.state) == []
        self.server = Server(self.state)


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Again]:
    running = Again(tmp_path_factory.mktemp("chaos") / "state")
    try:
        assert running.server.save(FLOW).ok
        yield running
    finally:
        running.server.stop()
    assert vanished(running.state) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_a_server_killed_twice_resumes_its_execution(again: Again, seed: int):
    chance = random.Random(seed)
    execution = str(again.server.start("examples", "fan-out")["id"])
    for _ in range(2):
        time.sleep(chance.uniform(0.05, 1.5))
        again.kill()
    ended = again.server.until_ended(execution)
    assert ended["state"]["current"] == "SUCCESS"
    assert len(ended["taskRunList"]) == 200
    values = results(ended)
    assert len(values) == len(set(values)) == 199
    for run in ended["taskRunList"]:
        states = [entry["state"] for entry in run["state"]["histories"]]
        assert states.count("SUCCESS") == 1, states


STEPS = """
id: steps
namespace: examples
tasks:
  - id: dir
    type: io.kestra.plugin.core.flow.WorkingDirectory
    outputFiles: [steps]
    tasks:
      - {id: one, type: io.kestra.plugin.scripts.shell.Commands, commands: ["test ! -e steps", "echo 1 >> steps"]}
      - {id: two, type: io.kestra.plugin.scripts.shell.Commands, commands: ["echo 2 >> steps", "sleep 0.3"]}
      - {id: three, type: io.kestra.plugin.scripts.shell.Commands, commands: ["echo 3 >> steps"]}
"""


@pytest.mark.slow
def test_a_working_directory_is_never_taken_up_half_done(again: Again):
    assert again.server.save(STEPS).ok
    for seed in range(4):
        execution = str(again.server.start("examples", "steps")["id"])
        time.sleep(random.Random(seed).uniform(0.05, 0.8))
        again.kill()
        ended = again.server.until_ended(execution)
        assert [run["taskId"] for run in ended["taskRunList"]] == ["dir", "one", "two", "three"]
        assert {run["state"]["current"] for run in ended["taskRunList"]} == {"SUCCESS"}
        uri = ended["taskRunList"][0]["outputs"]["outputFiles"]["steps"]
        assert again.server.file(execution, uri) == b"1\n2\n3\n"
    left = [path.name for path in (again.state / "sandboxes").iterdir() if not path.name.startswith(".")]
    assert left == []
