"""How names resolve behind the broker."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from boxed_programs import python

from casemate.sandbox import Egress
from casemate.sandbox.names import resolv_conf, resolvers

OPEN = Egress(open=True)
RESOLVER = "127.77.0.1"
HOST = "# ours\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\nnameserver nonsense\nsearch a.example\noptions ndots:5\n"


def test_resolvers_are_read_from_the_hosts_file():
    assert resolvers(HOST) == ("10.0.0.2", "fe80::1%eth0")
    assert resolvers("") == ("127.0.0.1",)


def test_a_sandbox_asks_the_stub_and_keeps_the_search_list():
    assert resolv_conf(HOST, stub=True) == "search a.example\noptions ndots:5\nnameserver 127.0.0.1\n"


def test_without_a_stub_names_are_asked_over_streams():
    assert resolv_conf(HOST, stub=False).endswith("nameserver 10.0.0.2\nnameserver fe80::1%eth0\noptions use-vc\n")


def answer(question: bytes) -> bytes:
    """The same message as an answer, with one more word."""
    return question[:2] + b"answer:" + question[2:]


@contextmanager
def resolver(kind: int) -> Iterator[None]:
    """A name server of sorts on the worker's loopback. Only root may have its port."""
    listening = socket.socket(socket.AF_INET, kind)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((RESOLVER, 53))
    except OSError as error:
        listening.close()
        pytest.skip(f"port 53 of {RESOLVER} is not to be had: {error}")
    listening.settimeout(0.05)
    over = threading.Event()
    thread = threading.Thread(target=_serve, args=(listening, kind, over))
    with listening:
        thread.start()
        yield
        over.set()
        thread.join()


def _serve(listening: socket.socket, kind: int, over: threading.Event) -> None:
    if kind == socket.SOCK_STREAM:
        listening.listen()
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            if kind == socket.SOCK_DGRAM:
                question, asker = listening.recvfrom(512)
                listening.sendto(b"xx unasked", asker)
                listening.sendto(answer(question), asker)
            else:
                peer, _ = listening.accept()
                with peer:
                    peer.sendall(answer(peer.recv(512)))


ASK = """
import socket
for number in range(3):
    s = socket.socket(type=socket.{kind}); s.settimeout(5); s.connect(("{address}", 53))
    s.send(b"%02d?" % number); print(s.recv(512))
"""


@pytest.mark.root
def test_questions_to_the_stub_reach_a_resolver():
    with resolver(socket.SOCK_DGRAM):
        code = ASK.format(kind="SOCK_DGRAM", address="127.0.0.1")
        ran = python(code, egress=OPEN, resolvers=("127.77.0.9", RESOLVER))
    assert ran.output == "b'00answer:?'\nb'01answer:?'\nb'02answer:?'\n"
    assert [RESOLVER, 53, 3] in ran.reached


@pytest.mark.root
@pytest.mark.parametrize("address", ["127.0.0.1", RESOLVER])
def test_long_questions_go_over_streams(address):
    with resolver(socket.SOCK_STREAM):
        ran = python(ASK.format(kind="SOCK_STREAM", address=address), egress=OPEN, resolvers=(RESOLVER,))
    assert ran.output == "b'00answer:?'\nb'01answer:?'\nb'02answer:?'\n"
    assert ran.reached == [[RESOLVER, 53, 3]]


@pytest.mark.root
def test_many_questions_at_once_are_all_answered():
    code = """
import socket, struct
s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(5); s.connect(("127.0.0.1", 53))
for n in range(60): s.send(struct.pack(">H", n))
print(sorted(struct.unpack(">H", s.recv(512)[:2])[0] for _ in range(60)) == list(range(60)))
"""
    with resolver(socket.SOCK_DGRAM):
        assert python(code, egress=OPEN, resolvers=(RESOLVER,)).output == "True\n"


def test_a_resolver_that_is_not_there_is_silence():
    code = """
import socket
s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(0.3); s.connect(("127.0.0.1", 53)); s.send(b"00?")
try: s.recv(9)
except TimeoutError: print("silence")
s.close()
s = socket.socket(type=socket.SOCK_DGRAM); s.connect(("127.0.0.1", 53)); s.send(b"01?"); s.close(); print("gone")
"""
    assert python(code, egress=OPEN, resolvers=("127.77.0.9",)).output == "silence\ngone\n"
