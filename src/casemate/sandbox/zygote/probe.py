"""Tries each mechanism that the walls are made of, in a child of its own, and says which the kernel refused."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from typing import NamedTuple

from casemate.sandbox.kernel import bpf, capabilities, landlock, mounts, namespaces, processes, seccomp
from casemate.sandbox.kernel.calls import Opened, do
from casemate.sandbox.orders import TASK_ID


class _Attempt(NamedTuple):
    mechanism: str
    work: Callable[[], object]


def probe() -> int:
    """Write one JSON object on standard output: wall to mechanism, errno (0: it stands) and error."""
    report = {name: {"mechanism": attempt.mechanism, **_outcome(attempt.work)} for name, attempt in _attempts().items()}
    json.dump(report, sys.stdout)
    return 0


def _attempts() -> dict[str, _Attempt]:
    power = _kernel_users if _root() else _user_namespace
    return {
        ("kernel users" if _root() else "user namespace"): _Attempt("setresuid" if _root() else "clone", power),
        "private root": _Attempt("mount namespace, mount_setattr", _private_root),
        "own processes": _Attempt("pid namespace, fresh /proc", _own_processes),
        "own network": _Attempt("network namespace", _own_network),
        "system call filter": _Attempt("seccomp", _filter),
        "system call listener": _Attempt("seccomp user notification", _listener),
        "Landlock": _Attempt("Landlock", _landlock),
    }


def _outcome(work: Callable[[], object]) -> dict[str, object]:
    """Run one attempt in a child, whose exit code is the error number."""
    child = os.fork()
    if child == 0:
        os._exit(_error_number(work))
    number = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"errno": number, "error": os.strerror(number) if number else ""}


def _error_number(work: Callable[[], object]) -> int:
    try:
        work()
    except OSError as error:
        return error.errno or 1
    return 0


def _root() -> bool:
    return os.geteuid() == 0 and namespaces.has_identity(TASK_ID)


def _separate(*kinds: int) -> None:
    """Into new namespaces, through a user namespace unless we may make them as we are."""
    if _root() and capabilities.has(capabilities.MANAGE_MOUNTS):
        do(namespaces.unshare(sum(kinds)))
        return
    uid, gid = os.getuid(), os.getgid()
    do(namespaces.unshare(sum((*kinds, namespaces.USER))))
    itself = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY)
    do(*namespaces.map_identity(itself, TASK_ID, uid, gid))


def _user_namespace() -> None:
    _separate()


def _kernel_users() -> None:
    os.setgroups([])
    os.setresgid(TASK_ID, TASK_ID, TASK_ID)
    os.setresuid(TASK_ID, TASK_ID, TASK_ID)


def _private_root() -> None:
    _separate(namespaces.MOUNT)
    mounts.make_private()
    folder = tempfile.mkdtemp(prefix="casemate-probe-")
    try:
        do(mounts.mount_memory(folder, size=1 << 20, files=16, mode=0o755))
        mounts.restrict(folder, mounts.READ_ONLY)
        do(mounts.detach(folder))
    finally:
        os.rmdir(folder)


def _own_processes() -> None:
    _separate(namespaces.MOUNT)
    mounts.make_private()
    child = namespaces.fork_into(namespaces.PROCESSES | namespaces.MOUNT)
    if child == 0:
        os._exit(_error_number(lambda: do(mounts.mount_processes("/proc"))))
    number = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if number:
        raise OSError(number, os.strerror(number))


def _own_network() -> None:
    _separate(namespaces.NETWORK)
    do(*namespaces.raise_loopback())


def _filter() -> None:
    capabilities.forbid_new()
    do(seccomp.load(seccomp.filter_of(seccomp.task_rules())))


def _listener() -> None:
    capabilities.forbid_new()
    os.close(do(seccomp.load_listened(bpf.assembled(bpf.answer(bpf.ALLOW)), Opened())))


def _landlock() -> None:
    do(processes.hide_memory())
    capabilities.forbid_new()
    landlock.confine({"/": landlock.Access.READ}, landlock.version() or 1)
