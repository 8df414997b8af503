"""Families of sockets that reach past a network namespace, or into little-tried code, do not exist inside."""

OPEN = """
import socket
for name, arguments in {sockets!r}.items():
    try:
        socket.socket(*arguments).close()
        print("opened", name)
    except OSError:
        print("refused", name)
"""


def test_odd_sockets_are_refused(worker):
    odd = {
        "packet": (17, 3),
        "vsock": (40, 1),
        "alg": (38, 5),
        "bluetooth": (31, 1),
        "raw": (2, 3, 1),
        "raw6": (10, 3, 58),
        "mptcp": (2, 1, 262),
        "sctp": (2, 1, 132),
        "netlink audit": (16, 3, 9),
        "xdp": (44, 3),
        "tipc": (30, 1),
    }
    outcome = worker.python(OPEN.format(sockets=odd))
    assert outcome.stdout == [f"refused {name}" for name in odd]


def test_plain_sockets_are_there(worker):
    plain = {"unix": (1, 1), "tcp": (2, 1), "tcp6": (10, 1), "udp": (2, 2), "route": (16, 3, 0)}
    outcome = worker.python(OPEN.format(sockets=plain))
    assert outcome.stdout == [f"opened {name}" for name in plain]
