"""`casemate flow validate --server`: what a server says of flows, and what is said when it says nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.running import Server

GOOD = "id: good\nnamespace: tests.cli\ntasks:\n  - {id: say, type: io.kestra.plugin.core.log.Log, message: hi}\n"
WRONG = GOOD.replace("id: good", "id: wrong").replace("log.Log", "log.Lug")
SHORT = GOOD.replace("id: good", "id: short").replace(", message: hi", "")
LEAKY = GOOD.replace("id: good", "id: leaky").replace("hi", "http://169.254.169.254/")
ACCOUNT = "admin@example.com:Correct4Horse"
CONFIGURATION = """
kestra:
  server:
    basic-auth: {username: admin@example.com, password: Correct4Horse}
  plugins:
    defaults:
      - {type: io.kestra.plugin.core.log.Log, values: {message: from the server}}
"""
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("validation")
    (folder / "conf.yml").write_text(CONFIGURATION)
    running = Server(folder / "state", "-c", str(folder / "conf.yml"))
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    file = tmp_path / "flows.yaml"
    file.write_text(f"{GOOD}---\n{WRONG}---\n{LEAKY}---\n{SHORT}")
    return file


def test_the_server_judges_and_the_scan_stays_here(validate: Call, server: Server, flow: Path):
    said = validate(flow, "--server", server.url, "--user", ACCOUNT, "--scan", "builtin")
    assert said.status == 1
    assert said.out.splitlines()[0] == "✓ - tests.cli / good"
    assert f"  {flow}:9:21: tasks[0]: Invalid type: io.kestra.plugin.core.log.Lug" in said.out
    assert f"  {flow}:14:68: tasks[0].message: 169.254.169.254 is" in said.out
    assert "✓ - tests.cli / short" in said.out, "the defaults of the server's configuration count"


def test_credentials_may_come_from_the_environment(
    validate: Call, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "good.yaml").write_text(GOOD)
    monkeypatch.setenv("CASEMATE_USER", ACCOUNT)
    assert validate(tmp_path, "--server", f"{server.url}/", "--tenant", "main").status == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "refuses a request without credentials (--user or --api-token)"),
        (("--user", "admin@example.com:Wrong4Horse"), "refuses the credentials"),
        (("--api-token", "nonsense"), "refuses the credentials"),
        (("--user", ACCOUNT, "--tenant", "other"), "knows no tenant other, or no validation of flows"),
    ],
)
def test_a_server_that_refuses_exits_2(validate: Call, server: Server, flow: Path, arguments: Any, told: str):
    said = validate(flow, "--server", server.url, *arguments)
    assert (said.status, said.out) == (2, "")
    assert f"casemate: {server.url} {told}" in said.err
    assert "Horse" not in said.err


@contextmanager
def stranger(status: int, body: str, **headers: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that always gives the same answer; the headers of the requests it got."""
    asked: list[dict[str, str]] = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", asked
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, "<html>", "answers with something else than JSON: is it a Kestra server?"),
        (200, "{}", "does not say something of each flow"),
        (200, "[{}]", "does not say something of each flow"),
        (200, '["a", "b", "c", "d"]', "does not say something of each flow"),
        (200, "\xff", "answers with something else than JSON"),
        (500, "", "answers 500 Internal Server Error"),
        (403, "", "does not let this account validate flows"),
    ],
)
def test_an_answer_that_is_none_exits_2(validate: Call, flow: Path, status: int, body: str, told: str):
    with stranger(status, body) as (url, _):
        said = validate(flow, "--server", url)
    assert (said.status, told in said.err) == (2, True), said.err


def test_a_redirect_is_not_followed(validate: Call, flow: Path):
    with stranger(200, "[]") as (other, asked), stranger(302, "", Location="/elsewhere") as (url, _):
        said = validate(flow, "--server", url, "--api-token", "t")
        assert (said.status, asked) == (2, [])
        assert "sends to /elsewhere: name that one" in said.err
        assert other


def test_a_token_and_headers_are_sent_as_kestra_expects_them(validate: Call, tmp_path: Path):
    (tmp_path / "good.yaml").write_text(GOOD)
    with stranger(200, '[{"index": 0, "flow": "good", "namespace": "tests.cli"}]') as (url, asked):
        said = validate(tmp_path, "--server", url, "--api-token", "t0ken", "--headers", "X-Proxy=a=b")
    assert said.status == 0
    (headers,) = asked
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["X-Proxy"] == "a=b"
    assert headers["Content-Type"] == "application/x-yaml"


def test_what_kestra_says_without_places_gets_those_of_its_paths(validate: Call, tmp_path: Path):
    (tmp_path / "short.yaml").write_text(f"# first\n---\n{SHORT}")
    item = {
        "index": 0,
        "flow": "short",
        "namespace": "tests.cli",
        "constraints": "tasks[0].type: must be another\nIllegal flow: at all\n",
        "deprecationPaths": ["tasks[0].id"],
        "warnings": ["a word", "a policy's word"],
        "advised": [{"code": "policy", "message": "a policy's word", "path": "tasks[0].id", "line": 6, "column": 6}],
        "infos": ["A is replaced by B"],
    }
    with stranger(200, json.dumps([item])) as (url, _):
        said = validate(tmp_path, "--server", url, "--format", "json")
    findings = [(one["rule"], one["line"], one["column"], one["message"]) for one in json.loads(said.out)["findings"]]
    assert said.status == 1
    assert findings == [
        ("flow/constraint", 6, 15, "must be another"),
        ("flow/constraint", 2, 1, "Illegal flow: at all"),
        ("flow/policy", 6, 6, "a policy's word"),
        ("flow/remark", 2, 1, "a word"),
        ("flow/deprecated", 6, 6, "tasks[0].id is deprecated"),
        ("flow/relocated", 2, 1, "A is replaced by B"),
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"index": "x"},
        {"warnings": 5},
        {"infos": {"a": "b"}},
        {"deprecationPaths": "all"},
        {"problems": [1]},
        {"problems": [{"line": "x", "message": "m"}]},
        {"advised": [{"line": 1, "column": "x", "message": "m"}]},
        {"problems": [{"line": float("inf"), "message": "m"}]},
    ],
    ids=str,
)
def test_an_answer_of_odd_types_exits_2_and_says_so(validate: Call, tmp_path: Path, odd: dict[str, Any]):
    (tmp_path / "good.yaml").write_text(GOOD)
    with stranger(200, json.dumps([{"index": 0, "flow": "good", "namespace": "tests.cli", **odd}])) as (url, _):
        said = validate(tmp_path, "--server", url)
    assert (said.status, said.out) == (2, "")
    assert "the server's answer holds " in said.err


def test_an_answer_that_is_nested_without_end_exits_2(validate: Call, tmp_path: Path):
    (tmp_path / "good.yaml").write_text(GOOD)
    with stranger(200, "[" * 200_000) as (url, _):
        said = validate(tmp_path, "--server", url)
    assert (said.status, "something else than JSON" in said.err) == (2, True)
