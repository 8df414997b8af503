"""How names resolve behind the broker, and what they open."""

from __future__ import annotations

import shutil

import pytest
from boxed_programs import Ran, boxed, python
from resolver import ADDRESS, LARGE, Zone, query, serving

from casemate.sandbox import Egress
from casemate.sandbox.stub import resolv_conf, resolvers

OPEN = Egress(open=True)
HOST = "# ours\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\nnameserver nonsense\nsearch a.example\noptions ndots:5\n"
METADATA = "169.254.169.254"
PUBLIC = "203.0.113.7"
"""What the loopback of `public_server` has too."""

LOOK_UP = """
import socket
for name in {names!r}:
    try: print(sorted({{each[4][0] for each in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)}}))
    except OSError as error: print(error.args[1])
"""
NOBODY = "Name or service not known"
CONNECT = """
import socket
for host, port in {targets!r}:
    try: print(socket.create_connection((host, port), 5).recv(9))
    except OSError as error: print(error.strerror)
"""


def listed(*allow: str, deny: tuple[str, ...] = ()) -> Egress:
    return Egress(open=True, public=False, allow=allow, deny=deny)


def looked_up(*names: str, egress: Egress = OPEN) -> Ran:
    return python(LOOK_UP.format(names=names), egress=egress, resolvers=(ADDRESS,))


def test_resolvers_are_read_from_the_hosts_file():
    assert resolvers(HOST) == ("10.0.0.2", "fe80::1%eth0")
    assert resolvers("") == ("127.0.0.1",)


def test_a_sandbox_asks_the_stub_and_keeps_the_search_list():
    assert resolv_conf(HOST) == "search a.example\noptions ndots:5\nnameserver 127.0.0.1\n"


@pytest.mark.root
def test_a_name_resolves_and_the_resolver_is_noted():
    with serving(Zone({"good.example": "192.0.2.1 192.0.2.2", "alias.example": ">good.example"})):
        ran = looked_up("good.example", "alias.example", "nobody.example")
    both = "['192.0.2.1', '192.0.2.2']\n"
    assert ran.output == both + both + NOBODY + "\n"
    assert ran.reached[0][:2] == [ADDRESS, 53]


@pytest.mark.root
def test_an_answer_to_another_question_is_not_taken():
    with serving(Zone({"good.example": "192.0.2.1"}, wrong_first=True)):
        assert looked_up("good.example").output == "['192.0.2.1']\n"


@pytest.mark.root
def test_a_resolver_that_does_not_answer_is_followed_by_the_next():
    with serving(Zone({"good.example": "192.0.2.1"})):
        code = LOOK_UP.format(names=["good.example"])
        assert python(code, resolvers=("127.77.0.9", ADDRESS)).output == "['192.0.2.1']\n"


@pytest.mark.root
def test_an_answer_that_is_too_large_for_a_datagram_comes_over_a_stream():
    with serving(Zone({LARGE: " ".join(f"192.0.2.{n}" for n in range(1, 100))})):
        ran = python(
            f"import socket\nprint(len(socket.getaddrinfo({LARGE!r}, 80, socket.AF_INET, socket.SOCK_STREAM)))",
            resolvers=(ADDRESS,),
        )
    assert ran.output == "99\n"


@pytest.mark.root
def test_many_questions_at_once_are_all_answered():
    code = f"""
import socket
s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(5); s.connect(("127.0.0.1", 53))
question = {query("good.example")!r}
for n in range(60): s.send(n.to_bytes(2, "big") + question[2:])
print(sorted(int.from_bytes(s.recv(512)[:2], "big") for _ in range(60)) == list(range(60)))
"""
    with serving(Zone({"good.example": "192.0.2.1"})):
        assert python(code, egress=OPEN, resolvers=(ADDRESS,)).output == "True\n"


def test_without_a_resolver_look_ups_fail_at_once():
    ran = python(LOOK_UP.format(names=["good.example"]), resolvers=("127.77.0.9",))
    assert ran.output == "Temporary failure in name resolution\n"


@pytest.mark.root
def test_a_name_that_is_not_listed_is_never_asked_for():
    with serving(
        Zone({"good.example": "192.0.2.1", "a.good.example": "192.0.2.2", "bad.example": "192.0.2.3"})
    ) as zone:
        ran = looked_up(
            "good.example", "a.good.example", "bad.example", egress=listed("good.example", "*.other.example")
        )
    assert ran.output == f"['192.0.2.1']\n{NOBODY}\n{NOBODY}\n"
    assert set(zone.asked) == {"good.example"}
    assert ran.denied[0][:2] == [53, "a.good.example"]


@pytest.mark.root
def test_with_a_closed_list_no_stream_leads_around_the_names():
    code = f"""
import socket
def ask(address, question):
    s = socket.socket(); s.settimeout(5)
    try:
        s.connect((address, 53)); s.sendall(len(question).to_bytes(2, "big") + question)
        return s.recv(512)[5] & 15
    except OSError as error: return error.strerror
for address in ("127.0.0.1", "{ADDRESS}"):
    print([ask(address, question) for question in {[query("good.example"), query("leak.example"), b"nonsense!!!!"]!r}])
"""
    with serving(Zone({"good.example": "192.0.2.1", "leak.example": "192.0.2.3"})) as zone:
        ran = python(code, egress=listed("good.example"), resolvers=(ADDRESS,))
    assert ran.output == "[0, 3, 1]\n['Connection refused', 'Connection refused', 'Connection refused']\n"
    assert zone.asked == ["good.example"]


@pytest.mark.root
def test_nothing_but_the_question_goes_out():
    """Bytes behind a question, odd numbers and options could tell a resolver's owner what the task knows."""
    extended = query("good.example")[:10] + b"\0\1" + query("good.example")[12:]
    extended += b"\0\0\x29\x04\xd0\0\0\0\0\0\x0a\xfd\xe9\0\6secret" + b"more secrets"
    code = f"""
import socket
s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(5); s.connect(("127.0.0.1", 53))
s.send({extended!r}); print(s.recv(512)[:2])
"""
    with serving(Zone({"good.example": "192.0.2.1"})) as zone:
        ran = python(code, egress=listed("good.example"), resolvers=(ADDRESS,))
    assert ran.output == repr(query("good.example")[:2]) + "\n"
    assert zone.messages[0][12:] == query("good.example")[12:] + b"\0\0\x29\x04\xd0" + bytes(6)


@pytest.mark.root
def test_a_listed_name_opens_its_addresses_at_its_port_and_no_others(public_server):
    port = public_server
    with serving(Zone({"good.example": PUBLIC, "alias.good.example": ">good.example"})):
        targets = [(PUBLIC, port), ("good.example", port), ("good.example", port + 1), (PUBLIC, port), ("8.8.8.8", 443)]
        ran = python(CONNECT.format(targets=targets), egress=listed(f"good.example:{port}"), resolvers=(ADDRESS,))
    denied, hello = "Permission denied\n", "b'hello'\n"
    assert ran.output == denied + hello + denied + hello + denied
    assert [PUBLIC, port, "good.example", 2] in ran.reached
    assert [PUBLIC, port + 1, "good.example", "not in the allow list"] in ran.denied


@pytest.mark.root
@pytest.mark.parametrize("entry", ["*.good.example", "www.good.example"])
def test_a_name_opens_its_addresses_through_aliases(public_server, entry):
    zone = Zone({"www.good.example": ">far.cdn.example", "far.cdn.example": PUBLIC})
    with serving(zone):
        targets = [("www.good.example", public_server)]
        ran = python(CONNECT.format(targets=targets), egress=listed(entry), resolvers=(ADDRESS,))
    assert ran.output == "b'hello'\n"


@pytest.mark.root
@pytest.mark.parametrize("address", ["127.0.0.2", METADATA, "10.0.0.1", "169.254.169.254", "192.168.0.1"])
def test_a_listed_name_that_points_to_a_private_address_opens_nothing(address):
    with serving(Zone({"rebound.example": address})):
        targets = [("rebound.example", 80)]
        ran = python(CONNECT.format(targets=targets), egress=listed("rebound.example"), resolvers=(ADDRESS,))
    assert ran.output == "Permission denied\n" if address != "127.0.0.2" else "Connection refused\n"
    assert ran.reached[0][0] == ADDRESS
    assert len(ran.reached) == 1


@pytest.mark.root
def test_a_name_that_is_bound_anew_between_look_up_and_connection_opens_nothing_private(public_server):
    code = f"""
import socket
for _ in range(3):
    found = socket.getaddrinfo("rebound.example", {public_server}, socket.AF_INET, socket.SOCK_STREAM)[0][4]
    s = socket.socket(); print(found[0], s.connect_ex(found))
"""
    with serving(Zone({"rebound.example": f"{PUBLIC}|{METADATA}|10.0.0.1"}, seconds=0)):
        ran = python(code, egress=listed("rebound.example"), resolvers=(ADDRESS,))
    assert ran.output == f"{PUBLIC} 0\n{METADATA} 13\n10.0.0.1 13\n"


@pytest.mark.root
def test_a_listed_name_does_not_open_what_a_range_denies(public_server):
    with serving(Zone({"good.example": PUBLIC})):
        targets = [("good.example", public_server)]
        egress = listed("good.example", deny=("203.0.113.0/24",))
        ran = python(CONNECT.format(targets=targets), egress=egress, resolvers=(ADDRESS,))
    assert ran.output == "Permission denied\n"
    assert ran.denied == [[PUBLIC, public_server, "good.example", "deny 203.0.113.0/24"]]


@pytest.mark.root
def test_a_denied_name_is_not_looked_up_directly_or_as_an_alias():
    zone = Zone({"bad.example": PUBLIC, "innocent.example": ">bad.example", "good.example": "192.0.2.1"})
    with serving(zone):
        ran = looked_up(
            "bad.example", "innocent.example", "good.example", egress=Egress(open=True, deny=("bad.example",))
        )
    assert ran.output == f"{NOBODY}\n{NOBODY}\n['192.0.2.1']\n"
    assert "bad.example" not in zone.asked


@pytest.mark.root
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_resolves_and_connects(public_server):
    with serving(Zone({"good.example": PUBLIC})):
        ran = boxed(
            *(shutil.which("curl"), "-sS", "-m", "5", f"telnet://good.example:{public_server}"),
            egress=listed("good.example"),
            resolvers=(ADDRESS,),
        )
    assert ran.output == "hello"
