"""What no server can do, whatever it answers: hold us up, fill the memory, or fail in a way that nobody expects."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import itertools
import json
import ssl
import threading
import time

import pytest
from tests.secrets.contract.store import SECONDS_OF_SILENCE
from tests.secrets.contract.test_failures import calls

from casemate.secrets.backends import bounded
from casemate.secrets.errors import BackendFailed

DEEP = b"[" * 200_000
SHAPES = (
    None,
    5,
    "x",
    [],
    {},
    {"data": 5, "SecretString": 5, "Parameter": 5, "hits": 5, "value": [5], "_source": 5, "Tags": 5, "TagList": 5},
    {
        "data": {"data": 5, "metadata": 5, "keys": 5, "versions": 5},
        "SecretString": ["x"],
        "SecretList": [5],
        "Parameter": {"Value": 5},
        "Parameters": [5],
        "TagList": [5],
        "Tags": [5],
        "hits": {"hits": [5]},
        "value": [5, None, {"id": 5, "tags": 5, "attributes": 5}],
        "_source": [],
        "attributes": 5,
        "tags": 5,
        "id": 5,
    },
    {
        "data": {
            "data": {"value": "x"},
            "metadata": {"custom_metadata": [5]},
            "custom_metadata": "x",
            "current_version": [1],
            "versions": {"[1]": {"deletion_time": "yesterday"}},
            "keys": [5, None, "../", "/", "//", ["x"]],
        },
        "SecretString": {"x": 1},
        "SecretList": [{"Name": 5, "Tags": [{"Key": 5}]}, {}],
        "Parameter": {},
        "Parameters": [{"Name": None, "Description": 5}],
        "TagList": [{"Key": "x", "Value": 5}, {}],
        "Tags": [{}],
        "hits": {"hits": [{"_source": {"tags": 5, "tenant": []}}] * 500},
        "_source": {"tags": [5, {"name": []}], "kid": 5, "value": []},
        "value": {"x": 1},
        "id": "https://x",
        "attributes": {"enabled": "x", "created": "x"},
        "tags": {"x": [5], "y": None},
    },
)
BODIES = (*(json.dumps(shape).encode() for shape in SHAPES), DEEP, b'{"data":' + DEEP, b"\xff\xfe", b"", b"<html>")
HEADERS = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}


@contextlib.contextmanager
def answering(store, answer):
    """A backend whose server sends `answer(address)` to every request: headers, and pieces of a body."""
    if store.speaks not in ("http", "https"):
        pytest.skip("its wire has bounds and shapes of its own")

    class Answering(http.server.BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers, pieces = answer(f"https://{self.headers['Host']}")
            self.send_response(200)
            for name, value in {**HEADERS, **headers, "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in pieces:
                if done.is_set():
                    return
                self.wfile.write(piece)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_HEAD = do_LIST = answer  # noqa: N815 - http.server's names

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            pass

    done = threading.Event()
    with Server(("127.0.0.1", 0), Answering) as server:
        if store.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*store.certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with contextlib.closing(store.at(server.server_address[1])) as backend:
            yield backend
        done.set()
        server.shutdown()


def test_answers_of_any_shape_are_taken_or_refused_in_words(store, place):
    said = [b""]
    with answering(store, lambda *_: ({}, said)) as backend:
        for said[0] in BODIES:
            for name, ask in calls(backend, place).items():
                try:
                    ask()
                except BackendFailed:
                    continue
                except Exception as error:  # whatever it is: which question after which answer has to be told
                    raise AssertionError(f"{name} after {said[0][:60]!r}") from error


def drops():
    while True:
        yield b" "
        time.sleep(0.05)


def test_a_server_that_sends_byte_after_byte_is_not_waited_for(store, place):
    with answering(store, lambda _: ({}, drops())) as backend:
        begun = time.monotonic()
        with pytest.raises(BackendFailed) as failed:
            backend.read(place.at("KEY"))
    assert failed.value.passing is True
    assert time.monotonic() - begun < SECONDS_OF_SILENCE


def test_an_answer_without_end_is_not_read_to_its_end(store, place):
    def flood():
        while True:
            yield b" " * 2**20

    with answering(store, lambda _: ({}, flood())) as backend, pytest.raises(BackendFailed):
        backend.read(place.at("KEY"))


def test_an_answer_that_swells_is_refused(store, place):
    small = gzip.compress(gzip.compress(b" " * (2 * bounded.LARGEST_ANSWER)))
    with (
        answering(store, lambda _: ({"Content-Encoding": "gzip, gzip"}, [small])) as backend,
        pytest.raises(BackendFailed),
    ):
        backend.read(place.at("KEY"))


def test_a_list_without_end_is_given_up(store, place, monkeypatch):
    monkeypatch.setattr(bounded, "LONGEST_LIST", 1.0)
    numbers = itertools.count()

    def page(address):
        number = next(numbers)
        told = {
            "data": {"keys": [f"folder{number}/", f"other{number}/"]},
            "NextToken": str(number),
            "value": [],
            "nextLink": f"{address}/secrets?page={number}",
            "hits": {"hits": [{"_source": {}, "sort": [number]}] * 500},
        }
        return {}, [json.dumps(told).encode()]

    with answering(store, page) as backend, pytest.raises(BackendFailed, match="has no end") as failed:
        backend.entries(place.tenant, None)
    assert failed.value.passing is False
