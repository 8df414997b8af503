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


def test_with_all_rights_all_start(worker):
    assert set(results(worker).values()) == {"worked"}


def test_a_body_has_the_rights_of_its_policy(worker):
    bait = {"secret": "/none", "port": 1, "process": worker.pid}
    body = {"module": "casemate.inside.wall_canaries", "job": bait}
    (outcome,) = worker.together(Attack(body=body, threads=False, processes=False))
    assert outcome.told == [{"outputs": dict.fromkeys(outcome.told[0]["outputs"], "")}]
    (outcome,) = worker.together(Attack(body=body, threads=True, processes=True))
    assert outcome.told[-1]["outputs"]["rights"] == "A thread can be started. A process can be started."
