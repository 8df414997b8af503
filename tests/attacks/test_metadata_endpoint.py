"""The network: without a way out there is nobody there, not even the host's own loopback."""

import socket

CONNECT = """
import socket, sys
for host, port in {targets!r}:
    try:
        socket.create_connection((host, port), 2).close()
        print("reached", host)
    except OSError:
        print("refused", host)
"""
TALK_TO_ONESELF = """
import socket
here = socket.create_server(("127.0.0.1", 0))
socket.create_connection(here.getsockname())
print("ok")
"""
SPELLINGS = ("169.254.169.254", "::ffff:169.254.169.254", "0xA9FEA9FE", "2852039166", "127.0.0.1", "::1", "1.1.1.1")


def test_nothing_can_be_reached_in_any_spelling(worker):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        targets = [(host, 80) for host in SPELLINGS] + [("127.0.0.1", port), ("localhost", port)]
        outcome = worker.python(CONNECT.format(targets=targets))
    assert "reached" not in outcome.said
    assert len(outcome.stdout) == len(targets)


def test_the_broker_does_not_lead_to_the_metadata_endpoint_either(worker):
    targets = [(host, 80) for host in SPELLINGS[:4]]
    outcome = worker.python(CONNECT.format(targets=targets), egress={"allow": ["0.0.0.0/0"]})
    assert "reached" not in outcome.said
    assert {denied["address"] for denied in outcome.denied} == {"169.254.169.254"}


def test_an_allowed_destination_is_reached_through_the_broker(worker):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        targets = [("127.0.0.1", listener.getsockname()[1])]
        outcome = worker.python(CONNECT.format(targets=targets), egress={"allow": ["127.0.0.0/8"]})
    assert outcome.stdout == ["reached 127.0.0.1"]
    assert "egress broker" in outcome.walls["network"]


def test_a_task_can_talk_to_itself(worker):
    outcome = worker.python(TALK_TO_ONESELF)
    assert outcome.stdout == ["ok"]


def test_there_is_no_interface_but_loopback(worker):
    outcome = worker.python("import socket; print([name for _, name in socket.if_nameindex()])")
    assert "eth" not in outcome.said
    assert "'lo'" in outcome.said


def test_with_a_closed_list_nothing_else_is_reached_or_asked_for(worker):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as other:
        port, closed = listener.getsockname()[1], other.getsockname()[1]
        targets = [("127.0.0.1", port), ("127.0.0.1", closed), ("1.1.1.1", 443), ("leak.example.com", 443)]
        egress = {"public": False, "allow": [f"127.0.0.0/8:{port}", "good.example.com"]}
        outcome = worker.python(CONNECT.format(targets=targets), egress=egress)
    assert outcome.stdout == ["reached 127.0.0.1", "refused 127.0.0.1", "refused 1.1.1.1", "refused leak.example.com"]
    assert {denied.get("host") or denied["address"] for denied in outcome.denied} == {"1.1.1.1", "leak.example.com"}
