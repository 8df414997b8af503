"""Threads and processes: a task that may not start them cannot, whatever it uses to try."""

from tests.attacks.workers import Attack

START = """
import ctypes, os, subprocess, threading
def tried(name, attempt):
    try:
        attempt()
        print(name, "worked", flush=True)
    except (OSError, RuntimeError) as error:
        print(name, "refused", flush=True)
def fork():
    if os.fork() == 0: os._exit(0)
tried("thread", lambda: threading.Thread(target=int).start())
tried("fork", fork)
tried("spawn", lambda: subprocess.run(["/bin/true"], check=True))
tried("vfork", lambda: os.posix_spawn("/bin/true", ["true"], {}))
"""

BESIDE = """
import ctypes, os
libc, stack = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(1 << 20)
def beside(flags):
    child = libc.clone(libc.getpid, ctypes.c_void_p(ctypes.addressof(stack) + (1 << 20) - 64), flags | 17, None)
    print("refused" if child < 0 else os.waitpid(child, 0)[1] and "worked", flush=True)
beside(0x100)
beside(0x100 | 0x200 | 0x400 | 0x800)
beside(0x100 | 0x4000)
"""
"""Children that share their parent's memory: beside it, with files and signals too, and only while it waits."""


def results(worker, **rights):
    return dict(line.split() for line in worker.python(START, **rights).stdout)


def test_without_rights_nothing_starts(worker):
    assert set(results(worker, threads=False, processes=False).values()) == {"refused"}


def test_with_threads_only_threads_start(worker):
    found = results(worker, threads=True, processes=False)
    assert found == {"thread": "worked", "fork": "refused", "spawn": "refused", "vfork": "refused"}


def test_with_processes_only_no_thread_starts(worker):
    found = results(worker, threads=False, processes=True)
    assert found == {"thread": "refused", "fork": "worked", "spawn": "worked", "vfork": "worked"}


def test_a_thread_by_another_name_is_one(worker):
    assert worker.python(BESIDE, threads=False, processes=True).stdout == ["refused", "refused", "worked"]
    assert worker.python(BESIDE).stdout == ["worked"] * 3


def test_with_all_rights_all_start(worker):
    assert set(results(worker).values()) == {"worked"}


def test_a_body_has_the_rights_of_its_policy(worker):
    bait = {"secret": "/none", "port": 1, "process": worker.pid}
    body = {"module": "casemate.inside.wall_canaries", "job": bait}
    (outcome,) = worker.together(Attack(body=body, threads=False, processes=False))
    assert outcome.told == [{"outputs": dict.fromkeys(outcome.told[0]["outputs"], "")}]
    (outcome,) = worker.together(Attack(body=body, threads=True, processes=True))
    assert outcome.told[-1]["outputs"]["rights"] == "A thread can be started. A process can be started."
