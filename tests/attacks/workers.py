"""Workers to attack: a driver process with what a worker has, as root or as an ordinary user."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import casemate
from casemate.sandbox.kernel import cgroups

NOBODY = 65534
DRIVER = Path(__file__).parent / "driver.py"
SECRET = "the-worker-knows-this"
NO_NAMESPACES = """
import errno, os, sys
from casemate.sandbox.kernel import bpf, capabilities, seccomp
from casemate.sandbox.kernel.calls import do
from casemate.sandbox.kernel.machine import THIS
capabilities.forbid_new()
refused = (bpf.if_equal(THIS.numbers[name], bpf.fail(errno.EPERM)) for name in ("unshare", "mount", "pivot_root"))
do(seccomp.load(bpf.assembled(bpf.joined(bpf.number(), *refused, bpf.answer(bpf.ALLOW)))))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Starts a program the way a container runtime does: it may make no namespaces."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the attack's program said and how it ended."""

    exit_code: int | None
    signal: int | None
    killed: str | None
    stdout: list[str]
    stderr: list[str]
    told: list[dict]
    walls: dict[str, str]
    denied: list[dict]
    limits_hit: list[str]
    outputs: list[str]
    owners: list[int]
    removed: bool

    @property
    def said(self) -> str:
        return "\n".join(self.stdout)

    @property
    def complained(self) -> str:
        return "\n".join(self.stderr)


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One program to run in a sandbox; by default one that may start what it likes and has no network."""

    argv: tuple[str, ...] | None = None
    body: Mapping[str, object] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    threads: bool = True
    processes: bool = True
    limits: Mapping[str, int] = field(default_factory=dict)
    egress: Mapping[str, object] = field(default_factory=dict)
    visible: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    """Python scripts that run before in the same folder, each in a sandbox of its own."""
    outputs: tuple[str, ...] = ()
    kill_at: str | None = None
    grace: float = 0.0

    def wish(self, name: str) -> dict[str, object]:
        values = {key: value for key, value in vars(self).items() if value is not None or key == "kill_at"}
        return {"name": name, **values}


class Worker:
    """A running driver."""

    _names = itertools.count()

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder
        hello = json.loads(self.process.stdout.readline())
        self.pid, self.uid, self.level = hello["pid"], hello["uid"], hello["level"]

    def python(self, script: str, **options: object) -> Outcome:
        return self.run(Attack(argv=("python3", "-c", script), **options))

    def shell(self, script: str, **options: object) -> Outcome:
        return self.run(Attack(argv=("sh", "-c", script), **options))

    def run_body(self, module: str, job: Mapping[str, object], **options: object) -> Outcome:
        """A body that may start nothing."""
        return self.run(Attack(body={"module": module, "job": job}, threads=False, processes=False, **options))

    def run(self, attack: Attack) -> Outcome:
        return self.together(attack)[0]

    def together(self, *attacks: Attack) -> list[Outcome]:
        self.send(*attacks)
        reports = json.loads(self.process.stdout.readline())
        for report in reports:
            assert "broken" not in report, report["broken"]
        return [Outcome(**report) for report in reports]

    def send(self, *attacks: Attack) -> None:
        wishes = [attack.wish(f"attack-{next(self._names)}") for attack in attacks]
        self.process.stdin.write(json.dumps(wishes) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def processes_saying(words: str) -> list[int]:
    """Processes of this machine that have these words in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and words in (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode():
                found.append(int(entry.name))
    return found


@functools.cache
def python_for_everybody() -> str:
    """An interpreter that an ordinary user can run, from outside anybody's home."""
    for candidate in dict.fromkeys((os.path.realpath(sys.executable), "/usr/local/bin/python3", "/usr/bin/python3")):
        if Path(candidate).exists() and _runs_for_nobody(candidate):
            return candidate
    pytest.skip("no Python of at least 3.11 that an ordinary user can execute")


def _runs_for_nobody(candidate: str) -> bool:
    try:
        check = [candidate, "-I", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        return subprocess.run(check, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/").returncode == 0
    except PermissionError:
        return False


@functools.cache
def sources_for_everybody() -> str:
    """A copy of the package that an ordinary user can read."""
    folder = Path(tempfile.mkdtemp(prefix="casemate-attacks-src-"))
    shutil.copytree(Path(casemate.__file__).parent, folder / "casemate", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(DRIVER, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return str(folder)


@contextlib.contextmanager
def worker_running(*, as_user: bool, contained: bool = False) -> Iterator[Worker]:
    """A driver that is what it says, in an environment that holds a secret, with a file open that holds it too.

    `contained`: where no namespaces are to be had, and with walls of level container.
    """
    changed = as_user and os.geteuid() == 0
    identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if changed else {}
    interpreter = python_for_everybody() if changed or contained else sys.executable
    folder = Path(tempfile.mkdtemp(prefix="casemate-attacks-"))
    driver, level = str(Path(sources_for_everybody()) / "driver.py"), "container" if contained else "full"
    with tempfile.NamedTemporaryFile("w+") as leaked:
        leaked.write(SECRET)
        leaked.flush()
        if changed:
            os.chown(folder, NOBODY, NOBODY)
        process = subprocess.Popen(
            [interpreter, *(("-c", NO_NAMESPACES) if contained else ()), driver, str(folder), level],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PYTHONPATH": sources_for_everybody(), "DATABASE_PASSWORD": SECRET, "PATH": os.environ["PATH"]},
            pass_fds=(leaked.fileno(),),
            **identity,
        )
        worker = Worker(process, folder)
        try:
            yield worker
        finally:
            worker.close()
            shutil.rmtree(folder)


@contextlib.contextmanager
def delegated(user: int) -> Iterator[None]:
    """While this lasts, processes that are started are in control groups that belong to a user."""
    if os.geteuid() != 0:
        pytest.skip("only root can give control groups away")
    trees = [tree for tree in cgroups.trees() if tree.controllers]
    given = [(tree.own, cgroups.below(tree.own, f"casemate-given-{os.getpid()}")) for tree in trees]
    if "memory" not in {controller for tree in trees for controller in tree.controllers} or trees[0].own.second:
        pytest.skip("no control groups of version 1")
    try:
        for _, group in given:
            os.chown(group.path, user, user)
            group.write("cgroup.procs", 0)
        yield
    finally:
        for own, group in given:
            own.write("cgroup.procs", 0)
            cgroups.remove(group)
