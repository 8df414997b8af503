"""The lists of web addresses as a user has them: a real server, real walls, and every way around that is known."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.running import casemate

FLOW = """
id: asks
namespace: tests.product
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: %s
    tasks:
      - {id: ask, type: io.kestra.plugin.core.http.Request, uri: "{{ taskrun.value }}", allowFailure: true}
"""
CONFIGURATION = """
casemate: {isolation: {egress: {allow: [127.0.0.1/32]}}}
kestra: {tasks: {http: {denied-list: ["%s/closed", "http://169.254.169.254"]}}}
"""


class Site(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        led = self.path.startswith("/to?")
        self.send_response(302 if led else 200)
        if led:
            self.send_header("Location", self.path.partition("?")[2])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    Site.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield server.server_address[1]
        server.shutdown()


def test_no_spelling_and_no_redirect_is_a_way_around_the_denied_list(tmp_path: Path, port: int):
    site = f"http://127.0.0.1:{port}"
    ways_around = [
        f"{site}/closed",
        f"http://2130706433:{port}/closed",
        f"http://0x7f.1:{port}/%63losed",
        f"http://[::ffff:127.0.0.1]:{port}/x/../closed",
        f"{site}/to?{site}/closed",
        f"{site}/to?http://169.254.169.254/latest",
        "http://2852039166/latest",
    ]
    flow, configuration = tmp_path / "flow.yaml", tmp_path / "kestra.yml"
    flow.write_text(FLOW % json.dumps([*ways_around, f"{site}/open"]))
    configuration.write_text(CONFIGURATION % site)
    ended = casemate("run", flow, "-c", configuration)
    told = ended.stdout + ended.stderr
    assert told.count("is in the configured denied list (kestra.tasks.http.denied-list).") == len(ways_around), told
    assert [path for path in Site.asked if not path.startswith("/to?")] == ["/open"]
