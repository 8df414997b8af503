"""SIGKILL of the worker: the kernel takes the zygote and every sandbox along."""

import signal
import time
import uuid

from tests.attacks.workers import Attack, processes_saying

PATIENCE = 20.0


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_worker_leaves_no_process(doomed_worker):
    mark = uuid.uuid4().hex
    script = (
        f"import os, signal, time; signal.signal(15, signal.SIG_IGN); os.fork(); os.fork(); time.sleep(600)  # {mark}"
    )
    sleeper = Attack(body={"module": "casemate.inside.core_flow_sleep", "job": {"properties": {"duration": "PT600S"}}})
    doomed_worker.send(Attack(argv=("python3", "-c", script)), sleeper)
    until(lambda: len(processes_saying(mark)) == 4)
    doomed_worker.process.send_signal(signal.SIGKILL)
    doomed_worker.process.wait()
    until(lambda: not processes_saying(mark))
    until(lambda: not children_of_nobody(doomed_worker))


def children_of_nobody(worker):
    """Zygotes and first processes of sandboxes that are not anybody's any more."""
    return [pid for pid in processes_saying("sandbox") if str(worker.folder) in mounts_of(pid)]


def mounts_of(pid):
    try:
        with open(f"/proc/{pid}/mountinfo") as file:
            return file.read()
    except OSError:
        return ""
