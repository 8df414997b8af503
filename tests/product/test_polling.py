"""A trigger that polls, as a user has it: a real server, real walls, a real address."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from tests.running import Server, server

FLOW = """
id: polling
namespace: examples
tasks:
  - {{id: say, type: io.kestra.plugin.core.debug.Return, format: "{{{{ trigger.code }}}} {{{{ trigger.body }}}}"}}
triggers:
  - id: poll
    type: io.kestra.plugin.core.http.Trigger
    uri: "{uri}"
    interval: PT1S
    stopAfter: [SUCCESS]
    responseCondition: "{{{{ json(response.body).ready }}}}"
"""

OPEN = "casemate: {isolation: {egress: {allow: [127.0.0.1/32]}}}\n"


class Answers(BaseHTTPRequestHandler):
    """Says that it is ready when it is asked for the third time."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        body = b'{"ready": true}' if type(self).asked == 3 else b'{"ready": false}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    Answers.asked = 0
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}/"
    serving.shutdown()
    serving.server_close()


def logs_of(running: Server) -> list[str]:
    found = requests.get(f"{running.api}/logs/search", params={"size": "100"}, timeout=30).json()["results"]
    return [entry["message"] for entry in found if entry.get("triggerId") == "poll"]


def waited_for(true, limit: float = 60) -> None:
    until = time.monotonic() + limit
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_it_starts_an_execution_once_the_answer_is_as_wanted(tmp_path: Path, address: str):
    configuration = tmp_path / "kestra.yml"
    configuration.write_text(OPEN)
    with server(tmp_path / "state", "-c", str(configuration)) as running:
        assert running.save(FLOW.format(uri=address)).ok

        def found() -> list[dict]:
            return requests.get(f"{running.api}/executions/search", timeout=30).json()["results"]

        waited_for(found)
        (execution,) = found()
        ended = running.until_ended(execution["id"])
    assert Answers.asked == 3
    assert ended["taskRunList"][0]["outputs"]["value"] == '200 {"ready": true}'


def test_the_walls_keep_it_from_places_that_no_task_may_reach(tmp_path: Path, address: str):
    with server(tmp_path / "state") as running:
        assert running.save(FLOW.format(uri=address)).ok
        waited_for(lambda: "Unable to evaluate the trigger 'poll'" in logs_of(running))
        told = logs_of(running)
    assert Answers.asked == 0
    assert any("refused" in message or "not allowed" in message for message in told), told
