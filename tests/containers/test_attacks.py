"""Attacks on the walls of level container, in a real container with Docker's default profile.

Each is tried from inside a sandbox, where it must fail, and where it can be told from a mistake also without one.
"""

from __future__ import annotations

import sys

import pytest
from tests.attacks.workers import SECRET, Attack, Worker
from tests.docker import Engine

BAIT = "/srv/open/to/all"

TRY = """
import ctypes, os, resource, signal, socket, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
worker = int(sys.argv[1])
def through(attempt):
    try:
        result = attempt()
    except (OSError, RuntimeError):
        return False
    return result is None or result is True or (result is not False and result >= 0)
def read(path):
    with open(path, "rb") as file:
        return len(file.read(100))
def forked():
    if os.fork() == 0:
        os._exit(0)
def started():
    threading.Thread(target=int).start()
def others():
    "Processes that can be signalled and are neither ourselves nor our own children."
    return [pid for pid in range(1, 1000) if pid != os.getpid() and through(lambda: os.kill(pid, 0))]
"""

ALIVE = {
    "reads what anybody may": f"read({BAIT!r})",
    "lists a folder": "len(os.listdir('/srv/open'))",
    "writes to the shared temporary folder": "os.close(os.open('/tmp/mark', os.O_CREAT | os.O_WRONLY))",
    "writes to shared memory": "os.close(os.open('/dev/shm/mark', os.O_CREAT | os.O_WRONLY))",
    "reads a process's words": "read(f'/proc/{worker}/cmdline')",
    "lists processes": "len(os.listdir('/proc'))",
    "signals a process": "os.kill(worker, 0)",
    "limits a process": "libc.prlimit(worker, resource.RLIMIT_CORE, bytes(16), None)",
    "makes System V memory": "libc.shmget(4711, 4096, 0o1666)",
    "makes a message queue": "libc.msgget(4711, 0o1666)",
    "makes semaphores": "libc.semget(4711, 1, 0o1666)",
    "opens a POSIX queue": "libc.mq_open(b'/mark', os.O_CREAT | os.O_RDWR, 0o666, None)",
    "watches a folder": "libc.inotify_add_watch(libc.inotify_init1(0), b'/srv', 0x100)",
    "opens an IPv4 socket": "socket.socket(socket.AF_INET).close()",
    "opens an IPv6 datagram socket": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()",
    "opens a unix socket": "socket.socket(socket.AF_UNIX).close()",
    "opens a netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()",
    "pairs datagram sockets": "len(socket.socketpair(type=socket.SOCK_DGRAM)) == 2",
    "is slowed down with all of its user": "libc.setpriority(2, 0, os.getpriority(0, 0))",
}
"""What works without walls, by what it shows, as a Python expression that fails, is False or negative where it does
not."""


@pytest.fixture(scope="module")
def unwalled(engine: Engine) -> dict[str, bool]:
    """What the same attempts come to in such a container without a sandbox."""
    done = engine.run(sys.executable, "-c", _script(ALIVE), "1")
    assert done.returncode == 0, done.stderr
    return dict(eval(done.stdout))


def _script(attempts: dict[str, str]) -> str:
    tried = ", ".join(f"{name!r}: through(lambda: {attempt})" for name, attempt in attempts.items())
    return f"{TRY}\nprint({{{tried}}})"


def attempted(worker: Worker, attempts: dict[str, str], **options: object) -> dict[str, bool]:
    outcome = worker.run(Attack(argv=("python3", "-c", _script(attempts), str(worker.pid)), **options))
    assert outcome.exit_code == 0, outcome
    return dict(eval(outcome.said))


def test_what_works_without_walls_fails_behind_them(worker: Worker, unwalled: dict[str, bool]):
    assert worker.level == "container"
    assert unwalled == dict.fromkeys(ALIVE, True)
    assert attempted(worker, ALIVE) == dict.fromkeys(ALIVE, False)


def test_a_task_still_has_what_it_needs(worker: Worker):
    useful = {
        "reads programs": "read('/usr/bin/env')",
        "reads its own state": "read('/proc/self/status')",
        "reads the machine's": "read('/proc/meminfo')",
        "writes where it starts": "os.close(os.open('mark', os.O_CREAT | os.O_WRONLY))",
        "writes to its temporary folder": "os.close(os.open(os.environ['TMPDIR'] + '/x', os.O_CREAT | os.O_WRONLY))",
        "talks to its own processes": "len(socket.socketpair()) == 2",
        "starts a process": "forked()",
        "starts a thread": "started()",
        "signals itself": "os.kill(os.getpid(), 0)",
    }
    assert attempted(worker, useful) == dict.fromkeys(useful, True)


def test_the_worker_is_closed(worker: Worker):
    secrets = {
        name: f"read(f'/proc/{{worker}}/{name}')" for name in ("environ", "mem", "maps", "auxv", "cmdline", "stack")
    }
    links = {name: f"len(os.readlink(f'/proc/{{worker}}/{name}'))" for name in ("cwd", "exe", "root", "fd/0")}
    traced = {
        "attach": "libc.ptrace(16, worker, None, None)",
        "seize": "libc.ptrace(0x4206, worker, None, None)",
        "trace me": "libc.ptrace(0, 0, None, None)",
        "read memory": "libc.process_vm_readv(worker, None, 0, None, 0, 0)",
    }
    attempts = {**secrets, **links, **traced}
    assert attempted(worker, attempts) == dict.fromkeys(attempts, False)
    assert SECRET not in worker.shell("env; cat /proc/*/environ").said


def test_nobody_else_can_be_signalled(worker: Worker):
    assert worker.python(TRY.replace("sys.argv[1]", "1") + "print(others())").said == "[]"


def test_a_command_cannot_end_what_watches_it(worker: Worker):
    outcome = worker.shell("kill -9 -1; kill -9 $PPID; echo still here")
    assert outcome.said == "still here"


def test_a_path_may_be_forbidden_inside_an_allowed_tree(worker: Worker):
    script = "cat /usr/lib/os-release; cat /lib/os-release; ls /usr /usr/lib; ls /usr/share > /dev/null && echo else"
    assert "PRETTY_NAME" in worker.shell(script).said
    outcome = worker.shell(script, forbidden=("/usr/lib/os-release",))
    assert outcome.said == "else"
    assert "PRETTY_NAME" in worker.shell(script, forbidden=("/usr/lib/nothing-of-the-kind",)).said


def test_all_of_etc_may_be_forbidden(worker: Worker):
    script = "cat /etc/passwd; cat /etc/ssl/certs/ca-certificates.crt > /dev/null && echo certificates"
    assert worker.shell(script).stdout[0].startswith("root:")
    assert worker.shell(script, forbidden=("/etc/",)).said == "certificates"


def test_a_visible_path_is_seen_and_not_written(worker: Worker):
    outcome = worker.shell(f"cat {BAIT}; echo x > {BAIT} || echo closed", visible=("/srv/open",))
    assert outcome.stdout == ["what an image may hold", "closed"]


def test_the_folders_of_other_tasks_are_closed(worker: Worker):
    holder = "echo private > mine; echo $PWD; sleep 2; cat mine"
    looker = """
import os, time
here, found = os.path.dirname(os.getcwd()), set()
until = time.monotonic() + 1.5
while time.monotonic() < until:
    for number in range(300):
        path = f"{here}/attack-{number}"
        if path != os.getcwd() and os.path.basename(path) not in found:
            try:
                open(f"{path}/mine").close()
                found.add(path)
            except OSError as error:
                pass
try: found.update(os.listdir(here))
except OSError: pass
print(sorted(found))
"""
    held, looked = worker.together(Attack(argv=("sh", "-c", holder)), Attack(argv=("python3", "-c", looker)))
    assert held.stdout[-1] == "private"
    assert looked.said == "[]"


@pytest.mark.parametrize(("threads", "processes"), [(False, False), (True, False), (False, True)])
def test_rights_hold(worker: Worker, threads: bool, processes: bool):
    attempts = {"thread": "started()", "process": "forked()"}
    expected = {"thread": threads, "process": processes}
    assert attempted(worker, attempts, threads=threads, processes=processes) == expected


def test_a_body_is_behind_the_same_walls(worker: Worker):
    bait = {"secret": BAIT, "port": 1, "process": worker.pid, "contained": True, "places": []}
    outcome = worker.run(
        Attack(body={"module": "casemate.inside.wall_canaries", "job": bait}, threads=False, processes=False)
    )
    assert all(not hole for hole in outcome.told[-1]["outputs"].values()), outcome.told


def test_nothing_of_a_task_is_collected_but_its_results(worker: Worker):
    outcome = worker.shell("echo x > result; echo y > $TMPDIR/scratch", outputs=("*",))
    assert outcome.outputs == ["result"]
    assert outcome.removed
