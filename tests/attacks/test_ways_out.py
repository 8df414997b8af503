"""Ways around the egress broker, tried in whole sandboxes that may reach one server of the worker's loopback."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

METADATA = "169.254.169.254"


@contextmanager
def answering(handler: type[http.server.BaseHTTPRequestHandler], address: str = "127.0.0.1") -> Iterator[int]:
    with http.server.ThreadingHTTPServer((address, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Redirecting(http.server.BaseHTTPRequestHandler):
    """Leads on to wherever the path says."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://" + self.path.removeprefix("/to/"))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


REDIRECTED = """
import urllib.request
for place in {places!r}:
    try: urllib.request.urlopen("http://127.0.0.1:{port}/to/" + place, timeout=5); print("reached", place)
    except OSError as error: print(getattr(error, "reason", error))
"""


def test_a_redirect_of_an_allowed_host_leads_nowhere_else(worker):
    places = [
        METADATA,
        "[::ffff:a9fe:a9fe]",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "169.254.43518",
        "10.0.0.1",
    ]
    with answering(Redirecting) as port:
        code = REDIRECTED.format(places=places, port=port)
        outcome = worker.python(code, egress={"allow": [f"127.0.0.1:{port}"]})
    assert outcome.stdout == ["[Errno 13] Permission denied"] * len(places)
    assert {denied["address"] for denied in outcome.denied} == {METADATA, "10.0.0.1"}


SPELLED = """
import socket
for host in {hosts!r}:
    try: socket.create_connection((host, {port}), 5).close(); print("reached", host)
    except OSError as error: print("refused")
"""


def test_no_name_or_spelling_of_the_loopback_leads_to_the_machine(worker):
    hosts = [
        *(
            "localhost",
            "LOCALHOST",
            "localhost.",
            "sandbox",
            "ip6-localhost",
            "127.0.0.1",
            "127.1",
            "127.0.0.2",
            "2130706433",
        ),
        *(
            "0x7f000001",
            "0177.0.0.1",
            "0",
            "0.0.0.0",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
        ),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "fe80::1%lo", "fe80::1%1", "fe80::5efe:7f00:1%lo"),
    ]
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listening:
        listening.setblocking(False)
        code = SPELLED.format(hosts=hosts, port=listening.getsockname()[1])
        outcome = worker.python(code, egress={"allow": ["0.0.0.0/0", "::/0", "0.0.0.0/8"]})
        assert outcome.stdout == ["refused"] * len(hosts)
        with pytest.raises(BlockingIOError):
            listening.accept()


LISTENING = """
import socket, sys, time
s = socket.create_server(("0.0.0.0", {port})); six = socket.create_server(("::", {port}), family=socket.AF_INET6)
d = socket.socket(type=socket.SOCK_DGRAM); d.bind(("0.0.0.0", {port}))
print("listens", flush=True)
for each in (s, six, d): each.settimeout(0.5)
for each in (s.accept, six.accept, lambda: d.recv(9)):
    try: each(); print("somebody came")
    except TimeoutError: print("nobody")
"""


def test_a_task_that_listens_is_heard_by_nobody_outside(worker):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    came = threading.Event()

    def knock() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            while not came.wait(0.05):
                datagrams.sendto(b"knock", ("127.0.0.1", port))
                with socket.socket() as stream:
                    assert stream.connect_ex(("127.0.0.1", port)) != 0

    thread = threading.Thread(target=knock)
    thread.start()
    outcome = worker.python(LISTENING.format(port=port), egress={"allow": ["127.0.0.0/8"]})
    came.set()
    thread.join()
    assert outcome.stdout == ["listens", "nobody", "nobody", "nobody"]


BROKERED = """
import ctypes, socket, struct, sys, os
libc = ctypes.CDLL(None, use_errno=True)
def tried(what):
    try: what()
    except OSError as error: return error.errno
    return "done"
s = socket.create_connection(("127.0.0.1", {port}), 5)
def connected(family, host, port):
    raw = struct.pack("=HH4s8x", family, socket.htons(port), socket.inet_aton(host))
    return ctypes.get_errno() if libc.connect(s.fileno(), raw, 16) else 0
print("unconnect", connected(0, "0.0.0.0", 0), "again", connected(2, "127.0.0.2", {other}))
print("listen", tried(lambda: s.listen()), "bind", tried(lambda: s.bind(("127.0.0.1", 0))))
print("transparent", tried(lambda: s.setsockopt(0, 19, 1)), "mark", tried(lambda: s.setsockopt(1, 36, 1)))
print("repair", tried(lambda: s.setsockopt(6, 19, 1)))
print("elsewhere", tried(lambda: s.sendto(b"x", ("127.0.0.2", {other}))) in ("done", 106))
print("peer", s.getpeername())
one, two = socket.socketpair()
socket.send_fds(one, [b"x"], [s.fileno()])
sys.stdout.flush()
if not os.fork():
    passed = socket.socket(fileno=socket.recv_fds(two, 1, 1)[1][0])
    s = passed
    print("passed", connected(0, "0.0.0.0", 0), connected(2, "127.0.0.2", {other}), flush=True)
    os._exit(0)
os.wait()
"""


def test_a_connected_socket_is_good_for_its_peer_alone(worker):
    with socket.create_server(("127.0.0.1", 0)) as allowed, socket.create_server(("127.0.0.2", 0)) as other:
        other.setblocking(False)
        ports = {"port": allowed.getsockname()[1], "other": other.getsockname()[1]}
        outcome = worker.python(BROKERED.format(**ports), egress={"allow": ["127.0.0.1"]})
        with pytest.raises(BlockingIOError):
            other.accept()
    assert outcome.stdout == [
        "unconnect 106 again 106",
        "listen 22 bind 22",
        "transparent 1 mark 1",
        "repair 1",
        "elsewhere True",
        f"peer ('127.0.0.1', {ports['port']})",
        "passed 106 106",
    ], outcome.complained


DATAGRAMS = """
import socket, time
begun = time.monotonic()
def tried(what):
    try: what()
    except OSError as error: return error.errno
    return "sent"
for host in ("1.1.1.1", "{metadata}", "127.0.0.1", "2606:4700::1111", "::ffff:1.1.1.1"):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    print(host, tried(lambda: s.sendto(b"x", (host, {port}))), tried(lambda: s.connect((host, {port}))))
s = socket.socket(type=socket.SOCK_DGRAM); s.connect(("127.0.0.1", 9))
print(tried(lambda: s.sendto(b"x", ("1.1.1.1", 443))), tried(lambda: s.sendmsg([b"x"], [], 0, ("{metadata}", 80))))
print(time.monotonic() - begun < 2)
"""


def test_datagrams_go_nowhere_and_fail_at_once(worker):
    """Programs that speak QUIC go on to TCP when that fails; they must not wait for it."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        code = DATAGRAMS.format(metadata=METADATA, port=udp.getsockname()[1])
        outcome = worker.python(code, egress={"allow": ["127.0.0.0/8"]})
        with pytest.raises(BlockingIOError):
            udp.recv(9)
    assert outcome.stdout == [
        "1.1.1.1 101 101",
        f"{METADATA} 101 13",
        "127.0.0.1 sent sent",
        "2606:4700::1111 101 101",
        "::ffff:1.1.1.1 101 101",
        "101 101",
        "True",
    ], outcome.complained


STEERED = """
import socket, struct
def tried(name, level, option, value):
    try: s.setsockopt(level, option, value)
    except OSError as error: print(name, error.errno)
    else: print(name, "worked")
s = socket.create_connection(("::1", {port}), 5)
segments = socket.inet_pton(10, "fd00::2") + socket.inet_pton(10, "::1")
tried("route", 41, 57, bytes((0, 4, 4, 1, 1, 0, 0, 0)) + segments)
tried("old route", 41, 6, bytes(40))
for level in (0, 41):
    group = struct.pack("=I4xHH4s", 1, 2, 0, socket.inet_aton("239.7.7.7")).ljust(136, b"\\0")
    tried("group", level, 42, group)
    tried("group of a source", level, 46, group + group[8:])
sourced = b"".join(map(socket.inet_aton, ("232.7.7.7", "127.0.0.1", "10.0.0.1")))
tried("group of a source, as long ago", 0, 39, sourced)
tried("anycast", 41, 27, socket.inet_pton(10, "fd00::2") + struct.pack("=I", 1))
tried("device", 1, 25, b"lo")
tried("device by number", 1, 62, struct.pack("=I", 1))
tried("no delay", 6, 1, struct.pack("=I", 1))
tried("six only", 41, 26, struct.pack("=I", 1))
"""


def test_a_connected_socket_takes_no_other_route_and_joins_no_group(worker):
    """A segment routing header sends what follows to any address first, and needs no capability."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as allowed:
        outcome = worker.python(STEERED.format(port=allowed.getsockname()[1]), egress={"allow": ["::1"]})
    *refused, harmless, _ = outcome.stdout
    assert {line.rpartition(" ")[2] for line in refused} == {"1"}, outcome.complained
    assert (len(refused), harmless) == (10, "no delay worked")


LEFT_ALONE = """
import ctypes, os, socket, threading, time
def tried(what):
    try: what()
    except OSError as error: return error.errno
    return "worked"
def gone():
    s = socket.create_connection(("127.0.0.1", {port}), 5)
    s.recv(1)
    s.shutdown(socket.SHUT_RDWR)
    while s.getsockopt(6, 11, 1) != b"\\7": time.sleep(0.01)
    return s
def swapped():
    # another socket comes and goes in the place of the one that is bound
    own, leading = socket.socket(), gone()
    place, ends = socket.socket(), time.monotonic() + 1
    def swap():
        while time.monotonic() < ends:
            os.dup2(own.fileno(), place.fileno()); os.dup2(datagrams.fileno(), place.fileno())
            os.dup2(leading.fileno(), place.fileno())
    datagrams = socket.socket(type=socket.SOCK_DGRAM)
    thread = threading.Thread(target=swap); thread.start()
    while thread.is_alive(): tried(lambda: place.bind(("127.0.0.1", {wanted})))
    return leading.getsockname()[1] == {wanted}
print("bound", tried(lambda: gone().bind(("127.0.0.1", {wanted}))), swapped())
own, unix, datagrams = socket.socket(), socket.socket(socket.AF_UNIX), socket.socket(type=socket.SOCK_DGRAM)
print("own", tried(lambda: own.bind(("127.0.0.1", {wanted}))), tried(own.listen), own.getsockname()[1] == {wanted})
print("again", tried(lambda: socket.socket().bind(("127.0.0.1", {wanted}))), tried(lambda: own.bind(("", 0))))
print("unix", tried(lambda: unix.bind("a socket")), "datagrams", tried(lambda: datagrams.bind(("", {wanted}))))
print("short", ctypes.CDLL(None).bind(socket.socket().fileno(), b"", 0))
print(socket.create_connection(("127.0.0.1", {wanted}), 5).getpeername()[1] == {wanted})
"""


class HangingUp(http.server.BaseHTTPRequestHandler):
    """Says something and goes."""

    def handle(self) -> None:
        self.request.sendall(b"x")


def test_a_socket_whose_peer_is_gone_takes_no_port_of_the_machine(worker):
    """Closed by both ends it is as good as new, and still one of the worker's network."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        wanted = free.getsockname()[1]
    with answering(HangingUp) as port:
        code = LEFT_ALONE.format(port=port, wanted=wanted)
        outcome = worker.python(code, egress={"allow": [f"127.0.0.1:{port}"]})
    assert outcome.stdout == [
        "bound 22 False",
        "own worked worked True",
        "again 98 22",
        "unix worked datagrams worked",
        "short -1",
        "True",
    ], outcome.complained
