"""Whoever holds connections, streams and bodies without a reason loses them, and keeps nobody else out."""

import json
import socket
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from casemate.api.limits import Limits, Seats, Spool

from .live import live

SPOOL = Spool(40 << 20)
LIMITS = Limits(connections=20, head=0.4, patience=0.4, rate=1000)

FLOW = """id: hello
namespace: company.team
inputs:
  - {id: note, type: STRING, required: false}
  - {id: file, type: FILE, required: false}
tasks: [{id: say, type: io.kestra.plugin.core.log.Log, message: hi}]
"""

NAP = """id: nap
namespace: company.team
tasks: [{id: sleep, type: io.kestra.plugin.core.flow.Sleep, duration: PT1H}]
"""

START = "/api/v1/main/executions/company.team/hello"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("connections"), limits=LIMITS, followers=Seats(3), spool=SPOOL) as running:
        for source in (FLOW, NAP):
            running.save(source)
        yield running


@contextmanager
def connected(server):
    host = urlsplit(server.url)
    with socket.create_connection((host.hostname, host.port), timeout=10) as connection:
        yield connection


def everything(connection):
    """What comes until the server closes; a connection that is cut off gives what came before."""
    came = b""
    try:
        while part := connection.recv(1 << 16):
            came += part
    except ConnectionError:
        pass
    return came


def works(server):
    """A request by somebody else is answered."""
    return requests.get(f"{server.url}/ping", timeout=5).text == "pong"


def eventually(true):
    until = time.monotonic() + 5
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


def dribble(connection, text, seconds=5):
    """Sends one byte after the other; the seconds until it was cut off."""
    began = time.monotonic()
    try:
        while time.monotonic() - began < seconds:
            connection.send(text)
            time.sleep(0.02)
    except OSError:
        pass
    return time.monotonic() - began


@pytest.mark.parametrize("begin", [b"", b"GET /ping HTTP/1.1\r\n", b"\r\n"])
def test_who_does_not_finish_a_request_is_cut_off(server, begin):
    with connected(server) as connection:
        connection.sendall(begin)
        began = time.monotonic()
        everything(connection)
        assert time.monotonic() - began < 3


def test_single_bytes_of_a_head_buy_no_time(server):
    with connected(server) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\nx: ")
        assert dribble(connection, b"x") < 3


def test_a_body_that_comes_too_slowly_is_refused(server):
    with connected(server) as connection:
        connection.sendall(f"POST {START} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999\r\n".encode())
        connection.sendall(b"content-type: multipart/form-data; boundary=b\r\n\r\n--b")
        assert b"408" in connection.recv(1000)
        assert dribble(connection, b"x") < 3


def test_an_answer_that_takes_long_is_waited_for(server):
    with connected(server) as connection:
        connection.sendall(f"POST {START}?wait=true HTTP/1.1\r\nhost: localhost\r\n".encode())
        connection.sendall(b"content-length: 0\r\nconnection: close\r\n\r\n")
        assert b"SUCCESS" in everything(connection)


def test_who_does_not_read_is_cut_off(server):
    large = requests.post(f"{server.url}{START}?wait=true", files={"file": ("f", b"x" * (16 << 20))}, timeout=20).json()
    with connected(server) as connection:
        path = f"/api/v1/main/executions/{large['id']}/file?path={large['inputs']['file']}"
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        time.sleep(3 * LIMITS.patience)
        assert len(everything(connection)) < 16 << 20
    assert works(server)


def test_there_are_so_many_connections_and_they_come_back(server):
    with ExitStack() as stack:
        held = [stack.enter_context(connected(server)) for _ in range(LIMITS.connections + 5)]
        answers = [everything(connection) for connection in held]
    assert sum(answer.startswith(b"HTTP/1.1 503") for answer in answers) >= 5
    assert eventually(lambda: works(server))


def test_there_are_so_many_event_streams_and_they_come_back(server):
    execution = requests.post(f"{server.api}/executions/company.team/nap", timeout=10).json()["id"]

    def follow(what="executions"):
        return requests.get(f"{server.api}/{what}/{execution}/follow", stream=True, timeout=10)

    streams = [follow(), follow("logs"), follow()]
    assert [stream.status_code for stream in streams] == [200] * 3
    refused = follow()
    assert (refused.status_code, works(server)) == (503, True)
    assert refused.json()["message"].startswith("Service Unavailable: 3 event streams are open")
    for stream in streams:
        stream.close()
    assert eventually(lambda: follow().status_code == 200)
    requests.delete(f"{server.api}/executions/{execution}/actions/kill", timeout=10)


def test_all_uploads_together_are_bounded(server):
    whole = 30 << 20
    large = [("file", ("f", b"x" * whole))]
    assert requests.post(f"{server.url}{START}", files=large, timeout=20).status_code == 200
    with connected(server) as one:
        head = f"POST {START} HTTP/1.1\r\nHost: {one.getpeername()[0]}\r\nContent-Length: {whole}\r\n"
        one.sendall(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode())
        one.sendall(b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + b"x" * (20 << 20))
        assert eventually(lambda: SPOOL.taken > 19 << 20)
        refused = requests.post(f"{server.url}{START}", files=large, timeout=20)
        assert refused.status_code == 503
        assert "too much is being sent" in refused.json()["message"]
    assert eventually(lambda: SPOOL.taken == 0)
    assert requests.post(f"{server.url}{START}", files=large, timeout=20).status_code == 200


def test_the_texts_of_a_form_are_bounded_as_a_whole(server):
    parts = [("note", (None, "x" * (3 << 20)))] * 6
    answer = requests.post(f"{server.url}{START}", files=parts, timeout=20)
    assert answer.status_code == 400
    assert "The texts of a form" in answer.json()["message"]
    fields = {"note": "x" * (17 << 20)}
    assert requests.post(f"{server.url}{START}", data=fields, timeout=20).status_code in (400, 413)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\nx: y\r\n\r\n\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"nothing of the kind"),
    ],
)
def test_a_form_that_is_none_is_refused(server, kind, body):
    answer = requests.post(f"{server.url}{START}", data=body, headers={"content-type": kind}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Bad Request: ")


def test_a_head_without_end_is_refused(server):
    with connected(server) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * (200 << 10))
        assert everything(connection)[:12] in (b"HTTP/1.1 400", b"")
    assert works(server)


def test_after_all_that_the_server_works(server):
    answer = requests.post(f"{server.url}{START}?wait=true", files={"note": (None, "hello")}, timeout=10)
    assert answer.json()["state"]["current"] == "SUCCESS"
    assert json.loads(answer.text)["inputs"]["note"] == "hello"
