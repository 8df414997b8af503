"""Without a pid namespace a sandbox still ends with everything that it started, whoever dies first."""

from __future__ import annotations

import os
import signal
import time
import uuid

import pytest
from tests.attacks.workers import Attack, Worker, processes_saying

SURVIVOR = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
print("started", flush=True)
"""
FORKS_FOR_EVER = """
import os, sys
print("started", flush=True)
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
"""


@pytest.fixture
def mark() -> str:
    """Words that only the processes of this test have in their command line."""
    return f"mark-{uuid.uuid4().hex}"


def gone(mark: str, seconds: float = 5.0) -> bool:
    """Whether nothing with the mark is alive; what was killed just now may take a moment to vanish."""
    until = time.monotonic() + seconds
    while processes_saying(mark):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def python(script: str, mark: str) -> Attack:
    return Attack(argv=("python3", "-c", script, mark), kill_at=None)


def test_what_a_task_leaves_running_ends_with_it(bare_worker: Worker, mark: str):
    outcome = bare_worker.run(python(SURVIVOR, mark))
    assert (outcome.exit_code, outcome.said) == (0, "started")
    assert not processes_saying(mark)


@pytest.mark.parametrize("script", [SURVIVOR + "time.sleep(600)", FORKS_FOR_EVER], ids=["stubborn", "always new"])
def test_a_kill_takes_everything(bare_worker: Worker, mark: str, script: str):
    outcome = bare_worker.run(Attack(argv=("python3", "-c", script, mark), kill_at="started"))
    assert outcome.killed
    assert not processes_saying(mark)


def test_a_body_is_killed_with_its_sandbox(doomed_worker: Worker):
    body = {"module": "casemate.inside.core_flow_sleep", "job": {"properties": {"duration": "PT10M"}}}
    before = children_of(doomed_worker.pid)
    doomed_worker.send(Attack(body=body, threads=False, processes=False))
    awaited(lambda: len(children_of(doomed_worker.pid) - before) >= 2)
    alive = children_of(doomed_worker.pid)
    os.kill(doomed_worker.pid, signal.SIGKILL)
    assert gone_all(alive)


@pytest.mark.parametrize("victim", ["worker", "zygote"])
def test_nothing_outlives_a_worker_or_zygote_that_is_killed(doomed_worker: Worker, mark: str, victim: str):
    doomed_worker.send(Attack(argv=("python3", "-c", SURVIVOR + "time.sleep(600)", mark)))
    awaited(lambda: len(processes_saying(mark)) >= 20)
    marked = set(processes_saying(mark))
    (zygote,) = (child for child in direct_children_of(doomed_worker.pid) if marked & children_of(child))
    os.kill(doomed_worker.pid if victim == "worker" else zygote, signal.SIGKILL)
    assert gone(mark)


def awaited(condition, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def direct_children_of(process: int) -> set[int]:
    with open(f"/proc/{process}/task/{process}/children") as file:
        return {int(word) for word in file.read().split()}


def children_of(process: int) -> set[int]:
    """All that is below a process."""
    found: set[int] = set()
    waiting = [process]
    while waiting:
        try:
            below = direct_children_of(waiting.pop())
        except FileNotFoundError:
            continue
        found |= below
        waiting += below
    return found


def gone_all(processes: set[int], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while any(os.path.exists(f"/proc/{process}") for process in processes):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
