"""Descriptors on their way: what a kernel user has sent and nobody took counts against all his processes.

The tasks of an ordinary user are that user to the kernel, and the worker sends descriptors with each launch.
"""

import pytest
from tests.attacks.workers import Attack

FLOOD = """
import array, socket, time
kept, sent = [], 0
try:
    for _ in range(400):
        one, other = socket.socketpair()
        kept.append((one, other))
        for _ in range(4):
            one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 250))])
            sent += 250
except OSError as error:
    print(error.strerror)
print(sent, flush=True)
time.sleep(2)
"""


@pytest.mark.parametrize("egress", [{}, {"allow": []}], ids=["offline", "with a broker"])
def test_a_flood_of_descriptors_does_not_keep_the_worker_from_launching(worker, egress):
    flood = Attack(argv=("python3", "-c", FLOOD))
    waits = ("import time; time.sleep(0.6)", "import time; time.sleep(0.2)")
    other = Attack(argv=("echo", "alive"), after=waits, egress=egress)
    flooded, undisturbed = worker.together(flood, other)
    assert int(flooded.stdout[-1]) > 0
    assert undisturbed.stdout == ["alive"]
