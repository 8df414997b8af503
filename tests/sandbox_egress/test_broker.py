"""What programs behind the broker can do: everything that is permitted, as if it were not there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from boxed_programs import boxed, python, python_as

from casemate.sandbox import Egress
from casemate.sandbox.broker import Broker, Outside

OPEN = Egress(open=True)
ORDINARY = 12345


def linux() -> tuple[int, ...]:
    """The version of this kernel."""
    return tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])


HELLO = """
import socket
s = socket.create_connection(("127.0.0.1", {port}), 5)
print(s.recv(9), s.getpeername()[1], s.gettimeout())
"""


OWN_SOCKETS = """
import os, tempfile
with tempfile.TemporaryDirectory() as folder:
    for name in (f"{folder}/own.sock", "\\0own"):
        s = socket.socket(socket.AF_UNIX); s.bind(name); s.listen()
        c = socket.socket(socket.AF_UNIX); c.connect(name); c.sendall(b"hi"); print(s.accept()[0].recv(9))
print(socket.socket().connect_ex(("169.254.169.254", 80)))
"""


@pytest.mark.parametrize("body", [False, True])
def test_a_permitted_connection_is_made_and_noted(server, body):
    ran = python(HELLO.format(port=server), body=body)
    assert ran.output == f"b'hello' {server} 5.0\n"
    assert ran.reached == [["127.0.0.1", server, 1]]


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become an ordinary user")
@pytest.mark.parametrize("body", [False, True])
def test_the_worker_need_not_be_root(server, body):
    try:
        ran = python_as(ORDINARY, HELLO.format(port=server) + OWN_SOCKETS, body=body)
    except PermissionError as error:
        pytest.skip(f"an ordinary user cannot read this repository: {error}")
    assert ran.output == f"b'hello' {server} 5.0\nb'hi'\nb'hi'\n13\n"


@pytest.mark.parametrize("body", [False, True])
def test_a_refused_connection_says_permission_denied_and_is_noted(body):
    ran = python(
        "import socket\ntry: socket.create_connection(('169.254.169.254', 80))\nexcept OSError as e: print(e)",
        body=body,
    )
    assert ran.output == "[Errno 13] Permission denied\n"
    assert ran.denied == [["169.254.169.254", 80, "default: link-local and cloud metadata 169.254.0.0/16"]]


def test_a_closed_port_says_connection_refused():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    ran = python(f"import socket\nprint(socket.socket().connect_ex(('127.0.0.1', {port})))")
    assert ran.output == "111\n"
    assert ran.reached == []


def test_flags_and_options_of_the_socket_are_kept(server):
    ran = python(f"""
import fcntl, os, socket
for blocking in (True, False):
    for inheritable in (True, False):
        s = socket.socket()
        s.setblocking(blocking)
        s.set_inheritable(inheritable)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = s.fileno()
        assert s.connect_ex(("127.0.0.1", {server})) == 0
        assert s.fileno() == number and os.get_blocking(number) == blocking and s.get_inheritable() == inheritable
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
""")
    assert (ran.output, ran.code) == ("", 0)


def test_threads_processes_and_event_loops_connect(server):
    ran = python(f"""
import asyncio, os, socket, threading
def hello():
    with socket.create_connection(("127.0.0.1", {server})) as s:
        assert s.recv(9) == b"hello"
threads = [threading.Thread(target=hello) for _ in range(30)]
[t.start() for t in threads]; [t.join() for t in threads]
for _ in range(5):
    if not os.fork():
        hello(); os._exit(0)
    assert os.wait()[1] == 0
async def many():
    streams = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", {server}) for _ in range(20)))
    assert [await reader.read() for reader, _ in streams] == [b"hello"] * 20
asyncio.run(many())
""")
    assert (ran.output, ran.code) == ("", 0)
    assert ran.reached == [["127.0.0.1", server, 55]]


@pytest.mark.skipif(linux() < (5, 19), reason="this kernel breaks off the call at every signal")
def test_signals_do_not_start_a_connection_anew():
    """Go programs signal themselves every few milliseconds; a connection that takes longer would never be made.

    Like theirs these handlers restart calls: the kernel breaks a call off until the broker has heard of it, and a busy
    machine may take longer for that than it takes the next signal to come.
    """
    with full_server() as port:
        ran = python(
            f"""
import signal, socket, time
signal.signal(signal.SIGALRM, lambda *_: None)
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
began = time.monotonic()
print(socket.socket().connect_ex(("127.0.0.1", {port})), time.monotonic() - began < 3)
""",
            patience=1,
        )
    assert ran.output == "110 True\n"


@contextmanager
def full_server() -> Iterator[int]:
    """A port that takes no more connections, so that one more waits."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
        for one in waiting:
            one.close()


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_connects(server):
    ran = boxed(shutil.which("curl"), "-sS", "--http0.9", "-m", "5", f"telnet://127.0.0.1:{server}")
    assert ran.output == "hello"


@contextmanager
def hole() -> Iterator[int]:
    """A port that accepts nobody: connections to it hang."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        port = deaf.getsockname()[1]
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        yield port
        for one in waiting:
            one.close()


def test_a_connection_that_hangs_holds_up_nobody_else_and_times_out(server):
    with hole() as port:
        ran = python(
            f"""
import errno, socket, threading, time
start = time.monotonic()
took = {{}}
def connect(port):
    s = socket.socket()
    result = s.connect_ex(("127.0.0.1", port))
    took[port] = errno.errorcode.get(result, result), time.monotonic() - start
hanging = threading.Thread(target=connect, args=({port},)); hanging.start()
time.sleep(0.1); connect({server}); hanging.join()
print(took[{server}][0], took[{server}][1] < 0.9, took[{port}][0], took[{port}][1] >= 1)
""",
            patience=1,
        )
    assert ran.output == "0 True ETIMEDOUT True\n"


def test_the_own_loopback_belongs_to_the_task(server):
    ran = python(
        f"""
import socket
s = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(s.getsockname()); c.sendall(b"mine"); print(s.accept()[0].recv(9))
print(socket.socket().connect_ex(("127.0.0.1", {server})))
n = socket.socket(); n.setblocking(False); print(n.connect_ex(s.getsockname()) in (0, 115))
six = socket.create_server(("::1", 0), family=socket.AF_INET6)
socket.create_connection(six.getsockname()[:2]); print("six")
u = socket.socket(type=socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0))
d = socket.socket(type=socket.SOCK_DGRAM); d.connect(u.getsockname()); d.send(b"x"); print(u.recv(9))
""",
        egress=OPEN,
    )
    assert ran.output == "b'mine'\n111\nTrue\nsix\nb'x'\n"
    assert (ran.reached, ran.denied) == ([], [])


@pytest.fixture
def shared_folder() -> Iterator[str]:
    """A folder that the task may write to."""
    with tempfile.TemporaryDirectory(prefix="egress-") as folder:
        os.chmod(folder, 0o777)
        yield folder


def test_unix_sockets_of_the_task_work(shared_folder):
    ran = python(
        f"""
import os, socket
os.chdir({shared_folder!r})
for name in ("here.sock", {shared_folder + "/there.sock"!r}, "\\0abstract"):
    s = socket.socket(socket.AF_UNIX); s.bind(name); s.listen()
    c = socket.socket(socket.AF_UNIX); c.connect(name); c.sendall(b"hi"); print(s.accept()[0].recv(9))
c = socket.socket(socket.AF_UNIX); print(c.connect_ex("missing.sock"), c.connect_ex("\\0missing"))
"""
    )
    assert ran.output == "b'hi'\n" * 3 + "2 111\n"


def test_nothing_but_streams_leaves(server):
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0.2)
        ran = python(f"""
import socket
u = socket.socket(type=socket.SOCK_DGRAM)
print(u.connect_ex(("1.1.1.1", 53)), u.connect_ex(("127.0.0.1", {udp.getsockname()[1]})))
try: u.send(b"x"); u.send(b"x")
except OSError as e: print(e.errno)
try: u.sendto(b"x", ("1.1.1.1", 53))
except OSError as e: print(e.errno)
""")
        with pytest.raises(TimeoutError):
            udp.recv(9)
    assert ran.output == "101 0\n111\n101\n"


def test_a_name_of_the_task_itself_resolves(server):
    ran = python(f"import socket\nprint(socket.create_connection(('localhost', {server}), 5).recv(9))")
    assert ran.output == "b'hello'\n"


def test_a_broker_gives_back_all_it_holds(server):
    before = sorted(os.listdir("/proc/self/fd"))
    python(HELLO.format(port=server))
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_closing_is_safe_before_the_start_and_twice():
    listener, stubs = os.eventfd(0), (socket.socket(type=socket.SOCK_DGRAM), socket.socket())
    outside = Outside(())
    broker = Broker((listener, *(stub.detach() for stub in stubs)), OPEN, outside)
    broker.close()
    broker.close()
    outside.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(listener)


def test_an_entry_that_is_none_is_refused_at_once():
    with pytest.raises(ValueError, match="exam ple"):
        Broker((-1, -1, -1), Egress(open=True, allow=("exam ple.com",)), Outside(()))


def test_a_connection_takes_less_than_a_few_milliseconds(server):
    ran = python(f"""
import socket, time
took = []
for _ in range(200):
    start = time.perf_counter()
    s = socket.create_connection(("127.0.0.1", {server}))
    took.append(time.perf_counter() - start)
    s.close()
print(sorted(took)[100])
""")
    assert float(ran.output) < 0.02
    print(f"median {float(ran.output) * 1e6:.0f} us", file=sys.stderr)
