"""All brokers of a worker share one thread: what one sandbox does must not be felt by the others."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from boxed_programs import python

from casemate.sandbox.broker import Outside
from casemate.sandbox.polling import Polling
from casemate.sandbox.turns import Turns

FLIPPING = """
import fcntl, os, socket, time
full = socket.create_server(("127.0.0.1", 0), backlog=0)
waiting = [socket.socket() for _ in range(3)]
for one in waiting: one.setblocking(False); one.connect_ex(full.getsockname())
s = socket.socket()
if not os.fork():
    while True: fcntl.fcntl(s, fcntl.F_SETFL, 0); fcntl.fcntl(s, fcntl.F_SETFL, os.O_NONBLOCK)
if not os.fork():
    while True: s.connect_ex(full.getsockname())
time.sleep({seconds})
os.killpg(0, 9)
"""
FLOODING = """
import socket, time
end = time.monotonic() + {seconds}
stub = socket.socket(type=socket.SOCK_DGRAM); stub.setblocking(False); stub.connect(("127.0.0.1", 53))
streams = [socket.create_connection(("127.0.0.1", 53)) for _ in range(9)]
for s in streams: s.setblocking(False)
while time.monotonic() < end:
    socket.socket().connect_ex(("169.254.169.254", 80))
    for s in (stub, *streams):
        try: s.send(bytes(900))
        except OSError: pass
"""
CONNECTING = """
import socket, time
worst = 0
for _ in range(50):
    begun = time.monotonic(); socket.create_connection(("127.0.0.1", {port})).close()
    worst = max(worst, time.monotonic() - begun); time.sleep(0.01)
print(worst)
"""


def slowest_beside(attack: str, port: int) -> float:
    """Seconds of the slowest connection of a sandbox while another of the same worker does that."""
    outside = Outside(())
    with ThreadPoolExecutor() as pool:
        code = "import os; os.setsid()" + attack.format(seconds=2)
        attacking = pool.submit(python, code, outside=outside)
        ran = python(CONNECTING.format(port=port), outside=outside)
        attacking.result()
    outside.close()
    return float(ran.output)


def test_a_task_that_makes_its_sockets_block_while_they_are_used_holds_up_only_itself(server):
    assert slowest_beside(FLIPPING, server) < 0.5


def test_a_task_that_floods_the_broker_and_the_stub_leaves_turns_to_the_others(server):
    assert slowest_beside(FLOODING, server) < 0.5


def test_a_broker_that_breaks_is_put_out_and_the_others_go_on():
    turns, heard, failed = Turns(), threading.Event(), threading.Event()
    broken, fine = Polling(), Polling()
    reading, writing = os.pipe()

    def fail() -> None:
        turns.leave(broken)
        failed.set()

    def hear(_: int) -> None:
        os.read(reading, 1)
        heard.set()

    def late() -> None:
        raise ZeroDivisionError

    broken.watch(os.eventfd(0), 1, lambda _: None, seconds=0.0, late=late)
    fine.watch(reading, 1, hear)
    turns.start()
    turns.join(broken, fail)
    turns.join(fine, lambda: None)
    os.write(writing, b"x")
    assert failed.wait(5)
    assert heard.wait(5)
    turns.close()


def test_a_turn_does_only_so_much():
    polling, done = Polling(), []
    for _ in range(100):
        polling.watch(os.eventfd(1), 1, lambda _: done.append(1))
    polling.turn()
    assert 0 < len(done) < 20
