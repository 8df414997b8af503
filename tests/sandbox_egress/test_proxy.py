"""Where every connection goes through an HTTP proxy."""

from __future__ import annotations

import socket

import pytest
from boxed_programs import LOOPBACK, Ran, python
from hypothesis import given
from hypothesis import strategies as st
from proxy import FINE, Behaviour, proxying
from resolver import ADDRESS, Zone, serving

from casemate.sandbox import Egress, Proxy
from casemate.sandbox.addresses import Inet
from casemate.sandbox.tunnel import LONGEST_ANSWER, Unintelligible, answer_ends, error_of, request, status
from casemate.secret import Secret

PUBLIC = "203.0.113.7"
HELLO = """
import socket
s = socket.socket(); print(s.connect_ex(("{address}", {port})))
s.settimeout(5)
try: print(s.recv(9), s.getblocking())
except OSError as error: print(error.strerror)
"""


def through(behaviour: Behaviour, code: str, *, credentials: str = "", **options: object) -> Ran:
    with proxying(behaviour) as port:
        secret = Secret(credentials) if credentials else None
        return python(code, proxy=Proxy(host="localhost", port=port, credentials=secret), **options)


def test_a_connection_goes_through_the_proxy(server):
    behaviour = Behaviour()
    ran = through(behaviour, HELLO.format(address="127.0.0.1", port=server))
    assert ran.output == "0\nb'hello' True\n"
    assert behaviour.asked == [f"CONNECT 127.0.0.1:{server} HTTP/1.1\r\nHost: 127.0.0.1:{server}\r\n\r\n"]
    assert ran.reached == [["127.0.0.1", server, 1]]


def test_many_at_once_go_through_it(server):
    code = f"""
import asyncio
async def many():
    streams = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", {server}) for _ in range(20)))
    print([await reader.read() for reader, _ in streams] == [b"hello"] * 20)
asyncio.run(many())
"""
    assert through(Behaviour(), code).output == "True\n"


def test_the_proxy_gets_its_credentials_and_the_task_does_not(server):
    behaviour = Behaviour()
    ran = through(behaviour, HELLO.format(address="127.0.0.1", port=server), credentials="me:p\u00e4ss")
    assert "Proxy-Authorization: Basic bWU6cMOkc3M=\r\n" in behaviour.asked[0]
    assert ran.output.startswith("0\n")


@pytest.mark.root
@pytest.mark.parametrize(("entry", "asked"), [("good.example", "good.example"), (f"{PUBLIC}/32", PUBLIC)])
def test_the_proxy_is_told_the_name_only_if_a_name_opened_the_way(own_network, entry, asked):
    """It looks the name up itself: whoever owns a name that nobody listed could let it find another address."""
    behaviour = Behaviour()
    code = "import socket\nsocket.create_connection(('good.example', 8443))"
    egress = Egress(open=True, public=False, allow=(entry, "good.example:1"))
    with serving(Zone({"good.example": PUBLIC})):
        through(behaviour, code, egress=egress, resolvers=(ADDRESS,))
    assert behaviour.asked[0].split()[1] == f"{asked}:8443"


def test_what_is_not_permitted_is_not_asked_of_the_proxy():
    behaviour = Behaviour()
    ran = through(behaviour, HELLO.format(address="169.254.169.254", port=80), egress=Egress(open=True))
    assert ran.output.startswith("13\n")
    assert behaviour.asked == []


def test_the_words_of_the_peer_that_come_with_the_proxys_are_the_tasks():
    behaviour = Behaviour(answer=(FINE + b"SSH-2.0-x", b"more"))
    ran = through(behaviour, HELLO.format(address="127.0.0.1", port=22))
    assert ran.output == "0\nb'SSH-2.0-x' True\n"


def test_an_answer_may_come_byte_by_byte():
    behaviour = Behaviour(answer=(*(bytes((byte,)) for byte in FINE), b"hi"))
    ran = through(behaviour, HELLO.format(address="127.0.0.1", port=22))
    assert ran.output == "0\nb'hi' True\n"


@pytest.mark.parametrize(
    ("behaviour", "error", "reason"),
    [
        (Behaviour((b"HTTP/1.1 403 No\r\n\r\n",)), 111, "the proxy answered 403"),
        (Behaviour((b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n\r\n",)), 111, "the proxy answered 407"),
        (Behaviour((b"HTTP/1.1 502 Bad\r\n\r\n",)), 113, "the proxy answered 502"),
        (Behaviour((b"220 mail.example ESMTP\r\n\r\n",)), 111, "the proxy's answer is none"),
        (Behaviour((b"HTTP/1.1 200 Fine\r\nX: " + b"x" * LONGEST_ANSWER,)), 111, "the proxy's answer is none"),
        (Behaviour((b"HTTP/1.1 200 Fi",), hangs_up=True), 111, "the proxy hung up"),
        (Behaviour((b"",)), 113, "the proxy did not answer in time"),
        (Behaviour((b"HTTP/1.1 200 Fi",)), 113, "the proxy did not answer in time"),
    ],
)
def test_a_proxy_that_fails_is_an_error_of_the_connection_and_told(behaviour, error, reason):
    ran = through(behaviour, HELLO.format(address="127.0.0.1", port=22), patience=0.3)
    assert ran.output.splitlines()[0] == str(error)
    assert ran.denied == [["127.0.0.1", 22, reason]]
    assert ran.reached == []


def test_without_the_proxy_there_is_no_way_out():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    for host in ("127.0.0.1", "no-such-host.invalid"):
        ran = python(HELLO.format(address="127.0.0.1", port=22), proxy=Proxy(host=host, port=port), egress=LOOPBACK)
        assert ran.output.startswith("113\n")
        assert ran.denied[0][:2] == ["127.0.0.1", 22]


def test_an_address_of_ipv6_stands_in_brackets():
    asked = request(Inet("2001:db8::1", 443), "", Proxy(host="p", port=1))
    assert asked.startswith(b"CONNECT [2001:db8::1]:443 HTTP/1.1")


@pytest.mark.parametrize(
    ("code", "error"), [(200, 0), (204, 0), (101, 111), (302, 111), (403, 111), (500, 113), (504, 113)]
)
def test_only_success_is_success(code, error):
    assert error_of(code) == error


@given(st.binary(max_size=200))
def test_no_answer_breaks_the_reader(answer):
    try:
        end = answer_ends(answer)
        assert end is None or answer[:end].endswith(b"\r\n\r\n")
        assert status(answer) in range(1000)
    except Unintelligible:
        return
