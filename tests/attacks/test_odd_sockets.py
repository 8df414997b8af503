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
        "sctp by its kind": (2, 5, 0),
        "smc": (2, 1, 256),
        "dccp": (2, 6, 33),
        "udp-lite": (2, 2, 136),
        "l2tp": (2, 2, 115),
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


PAIRS = """
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
for family in range(2, 46):
    for protocol in (0, 262):
        if libc.socketpair(family, 1, protocol, (ctypes.c_int * 2)()) == 0 or ctypes.get_errno() != errno.EAFNOSUPPORT:
            print("got as far as the kernel:", family, protocol, ctypes.get_errno())
one, other = socket.socketpair()
one.send(b"fine"); print(other.recv(9))
"""


def test_pairs_of_other_families_are_not_even_tried(worker):
    """The kernel makes the sockets first and refuses to join them afterwards: that is code of every family there is."""
    assert worker.python(PAIRS).stdout == ["b'fine'"]
