"""Ways to reach more than is permitted. The worker's loopback plays the network; of it, 127.0.0.1 alone is allowed."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from boxed_programs import python

from casemate.sandbox import Egress

ONE = Egress(open=True, allow=("127.0.0.1/32",))
OPEN = Egress(open=True)
SECONDS = 1.5


@contextmanager
def forbidden() -> Iterator[tuple[socket.socket, int]]:
    """A server of the worker's that must hear of nobody."""
    with socket.create_server(("127.0.0.2", 0), backlog=100) as listening:
        listening.settimeout(0.2)
        yield listening, listening.getsockname()[1]


def heard_of_nobody(listening: socket.socket) -> bool:
    try:
        listening.accept()
    except TimeoutError:
        return True
    return False


PRIVATE = (
    *("169.254.169.254", "10.0.0.1", "192.168.0.1", "172.17.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1"),
    *("255.255.255.255", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "fe80::1", "fd00:ec2::254", "::169.254.169.254"),
    *("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"),
)


def test_no_private_address_is_reached_in_any_spelling():
    ran = python(
        f"""
import socket
for address in {PRIVATE}:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    print(socket.socket(family).connect_ex((address, 80)))
""",
        egress=OPEN,
    )
    assert ran.output == "13\n" * len(PRIVATE)
    assert len(ran.denied) == len(PRIVATE) - 2  # two of them are IPv4 addresses of the list, mapped


RACE = """
import ctypes, socket, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
good = socket.inet_aton("127.0.0.1"); bad = socket.inet_aton("127.0.0.2")
address = ctypes.create_string_buffer(struct.pack("=HH4s8x", socket.AF_INET, socket.htons({port}), good), 16)
place = ctypes.addressof(address) + 4
stop = False
def flip():
    while not stop:
        ctypes.memmove(place, bad, 4); ctypes.memmove(place, good, 4)
flipping = threading.Thread(target=flip); flipping.start()
end = time.monotonic() + {seconds}; tries = 0
while time.monotonic() < end:
    s = socket.socket(); libc.connect(s.fileno(), address, 16); s.close(); tries += 1
stop = True; flipping.join(); print(tries > 20)
"""


def test_an_address_that_changes_while_we_look_is_judged_as_it_was_copied():
    with forbidden() as (listening, port):
        ran = python(RACE.format(port=port, seconds=SECONDS), egress=ONE)
        assert ran.output == "True\n"
        assert heard_of_nobody(listening)


SWAP = """
import ctypes, os, socket, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def sockaddr(family, host, port): return struct.pack("=HH4s8x", family, socket.htons(port), socket.inet_aton(host))
ours = socket.create_connection(("127.0.0.1", {server}))
mine = socket.socket()
place = os.dup(mine.fileno())
stop = False
def swap():
    while not stop:
        os.dup2(ours.fileno(), place); os.dup2(mine.fileno(), place)
swapping = threading.Thread(target=swap); swapping.start()
bad = sockaddr(socket.AF_INET, "127.0.0.2", {port}); none = sockaddr(socket.AF_UNSPEC, "0.0.0.0", 0)
end = time.monotonic() + {seconds}; tries = 0
while time.monotonic() < end:
    libc.connect(place, none, 16); libc.connect(place, bad, 16); tries += 1
stop = True; swapping.join()
print(ours.getpeername()[0], tries > 20)
"""


def test_a_socket_that_takes_the_place_of_another_while_we_look_gets_no_new_peer():
    with forbidden() as (listening, port), socket.create_server(("127.0.0.1", 0)) as silent:
        ran = python(SWAP.format(server=silent.getsockname()[1], port=port, seconds=SECONDS), egress=ONE)
        assert ran.output == "127.0.0.1 True\n"
        assert heard_of_nobody(listening)


def test_a_connected_socket_is_never_freed_of_its_peer(server):
    with forbidden() as (listening, port):
        ran = python(
            f"""
import ctypes, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def connect(s, family, host, port):
    raw = struct.pack("=HH4s8x", family, socket.htons(port), socket.inet_aton(host))
    return ctypes.get_errno() if libc.connect(s.fileno(), raw, 16) else 0
s = socket.create_connection(("127.0.0.1", {server}))
print(connect(s, socket.AF_UNSPEC, "0.0.0.0", 0), connect(s, socket.AF_INET, "127.0.0.2", {port}))
print(connect(s, socket.AF_INET, "127.0.0.1", {server}), s.recv(5))
""",
            egress=ONE,
        )
        assert ran.output == "106 106\n106 b'hello'\n"
        assert heard_of_nobody(listening)


def test_a_socket_whose_peer_has_reset_it_cannot_listen_on_the_workers_network():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def reset() -> None:
            peer, _ = listening.accept()
            peer.recv(1)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            peer.close()

        threading.Thread(target=reset, daemon=True).start()
        ran = python(
            f"""
import socket
s = socket.create_connection(("127.0.0.1", {listening.getsockname()[1]}))
s.send(b"?")
try: s.recv(1)
except ConnectionResetError: print("reset")
for how in (socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR):
    try: s.shutdown(how)
    except OSError: pass
try: s.bind(("127.0.0.1", 0))
except OSError: pass
try: s.listen(); print("listens")
except OSError as e: print(e.errno)
""",
            egress=ONE,
        )
    assert ran.output == "reset\n22\n"


def test_a_send_that_connects_does_not_exist(server):
    ran = python(
        f"""
import socket
for send in (lambda s: s.sendto(b"x", 0x20000000, ("127.0.0.2", {server})),
             lambda s: s.sendmsg([b"x"], [], 0x20000000, ("127.0.0.2", {server})),
             lambda s: s.send(b"x", 0x20000000)):
    try: send(socket.socket())
    except OSError as e: print(e.errno)
""",
        egress=ONE,
    )
    assert set(ran.output.split()) <= {"95", "32"}
    assert ran.output.split()[:2] == ["95", "95"]


def test_a_socket_that_lingers_does_not_exist(server):
    """The worker shares each socket for a moment; the last to close one that lingers waits for its peer."""
    ran = python(f"""
import socket, struct
lingers = struct.pack("ii", 1, 3600)
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingers)
s.connect(("127.0.0.1", {server})); s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingers)
print(struct.unpack("ii", s.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))[0])
""")
    assert ran.output == "0\n"


def test_io_uring_does_not_exist():
    ran = python(
        "import ctypes\nl = ctypes.CDLL(None, use_errno=True)\nprint(l.syscall(425, 8, bytes(120)), ctypes.get_errno())"
    )
    assert ran.output == "-1 38\n"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="a way in of x86-64 alone")
def test_another_numbering_of_calls_is_deadly():
    ran = python("import ctypes\nprint(ctypes.CDLL(None).syscall(0x40000000 + 42, 3, 0, 0))")
    assert (ran.output, ran.code) == ("", -31)


def test_the_workers_unix_sockets_are_out_of_reach():
    with tempfile.TemporaryDirectory(prefix="egress-") as folder, socket.socket(socket.AF_UNIX) as named:
        os.chmod(folder, 0o755)
        named.bind(f"{folder}/worker.sock")
        named.listen()
        os.chmod(f"{folder}/worker.sock", 0o700 if os.getuid() else 0o777)
        with socket.socket(socket.AF_UNIX) as abstract:
            abstract.bind(f"\0{folder}")
            abstract.listen()
            ran = python(f"""
import socket
c = lambda name: socket.socket(socket.AF_UNIX).connect_ex(name)
print(c("{folder}/worker.sock"), c("\\0{folder}"), c("/proc/self/root{folder}/worker.sock"))
""")
    refused = "13" if os.getuid() == 0 else "0"  # of an ordinary user the worker is the same user to the kernel
    assert ran.output.split()[:2] == [refused, "111"]
    assert ran.output.split()[2] == "40"


def test_nonsense_is_answered_as_the_kernel_would():
    ran = python(
        """
import ctypes, socket, struct, os
libc = ctypes.CDLL(None, use_errno=True)
def connect(fd, raw, length): return ctypes.get_errno() if libc.connect(fd, raw, length) else 0
s = socket.socket(); inet = struct.pack("=HH4s8x", 2, socket.htons(80), bytes(4)); read, _ = os.pipe()
print(connect(s.fileno(), None, 16), connect(s.fileno(), ctypes.c_void_p(8), 16))
print(*(connect(s.fileno(), inet, length) for length in (0, 3, -1, 4096)))
print(connect(99, inet, 16), connect(-1, inet, 16), connect(read, inet, 16))
print(connect(s.fileno(), struct.pack("=H14x", 40), 16), connect(s.fileno(), struct.pack("=H14x", 1), 16))
""",
        egress=ONE,
    )
    assert ran.output.splitlines()[0] == "14 14"
    assert ran.output.splitlines()[1] == "22 22 22 22"
    assert ran.output.splitlines()[2] == "9 9 88"
    assert set(ran.output.splitlines()[3].split()) <= {"97", "22"}


def test_a_task_that_dies_while_it_waits_is_forgotten(server):
    ran = python(f"""
import os, signal, socket, time
for _ in range(20):
    child = os.fork()
    if not child:
        while True: socket.socket().connect_ex(("127.0.0.1", {server}))
    time.sleep(0.01); os.kill(child, signal.SIGKILL); os.waitpid(child, 0)
print(socket.create_connection(("127.0.0.1", {server})).recv(5))
""")
    assert ran.output == "b'hello'\n"


def test_interrupted_threads_connect_all_the_same(server):
    ran = python(f"""
import signal, socket
signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
for _ in range(100): socket.create_connection(("127.0.0.1", {server})).close()
print("done")
""")
    assert ran.output == "done\n"


def test_a_task_cannot_use_the_resolvers_door_for_anything_else(server):
    ran = python(
        f"""
import socket
print(socket.socket().connect_ex(("10.1.1.1", 80)), socket.socket().connect_ex(("10.1.1.1", {server})))
""",
        egress=OPEN,
        resolvers=("10.1.1.1",),
    )
    assert ran.output == "13 13\n"
