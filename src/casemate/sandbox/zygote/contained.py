"""The walls where the kernel gives no namespaces: Landlock, filters, and a kernel user of its own where we are root.

Weaker than those of `walls.py`, and only built where the operator has asked for them in words. What is outside cannot
be read, written, signalled or connected to; that it is there can be seen.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import PurePath

from casemate.sandbox.kernel import capabilities, landlock, processes, seccomp
from casemate.sandbox.kernel.landlock import Access
from casemate.sandbox.orders import TEMPORARY, Order, Template
from casemate.sandbox.zygote.grants import grants
from casemate.sandbox.zygote.walls import Raised, call_rules, enter_groups, limit, rights


def prepare(template: Template) -> None:
    """In the zygote, before the first child. OSError: nothing tells the sandboxes of this machine apart."""
    abi = landlock.version()
    if not abi:
        raise OSError(errno.EOPNOTSUPP, "Landlock: it is not there, or switched off")
    if not template.privileged and abi < landlock.KNOWS_SCOPES:
        raise OSError(errno.EOPNOTSUPP, "Landlock: before Linux 6.12 it does not keep processes of one user apart")
    if os.geteuid() == 0 and not (template.privileged and all(map(capabilities.has, capabilities.BECOME_OTHERS))):
        raise OSError(errno.EPERM, "root can give no other user to a task: SETUID, SETGID or SETPCAP is missing")
    if template.privileged and (closed := _closed_to_others(template.prefix, template.folder)):
        raise OSError(errno.EACCES, f"{closed} cannot be entered by the users of tasks, and what they need is in there")


def _closed_to_others(*paths: str) -> str:
    """The first folder on the way that keeps other users out; nothing if there is none."""
    ways = (way for path in paths for way in reversed((PurePath(path), *PurePath(path).parents)))
    return next((str(way) for way in ways if not os.stat(way).st_mode & stat.S_IXOTH), "")


def raise_around(order: Order, template: Template, parent: int, doors: Iterable[int] = ()) -> Raised:
    """Build every wall around this process, but for the last that a command gets in its own process: `enclose`.

    `parent` is a pidfd of the warden, `doors` are descriptors that lead into control groups; they are closed here.
    """
    raised = Raised()
    enter_groups(doors)
    raised.walls |= {"processes": "processes of other sandboxes out of reach", "ipc": "seccomp, Landlock"}
    os.chdir(os.path.join(template.folder, order.work))
    _die_first()
    _give_up_power(order, template, raised)
    os.makedirs(TEMPORARY, mode=0o700, exist_ok=True)
    limit(order, raised)
    raised.walls["files"] = f"Landlock ABI {landlock.version()}"
    if order.kind == "body":
        enclose(template)
    # a change of user would make the kernel forget it, so not earlier
    processes.die_with_parent(parent)
    os.close(parent)
    _filter_calls(order, template, raised)
    return raised


def enclose(template: Template) -> None:
    """Confine this process to its launch folder and what a private root would show."""
    allowed = {**grants(template), ".": Access.ALL, "/proc/self": Access.READ}
    landlock.confine(allowed, landlock.version(), closed=landlock.TO_PORTS | landlock.TO_PEERS)


def _die_first() -> None:
    itself = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    processes.die_first(itself)
    os.close(itself)


def _give_up_power(order: Order, template: Template, raised: Raised) -> None:
    raised.walls["user"] = "the worker's own"
    if template.privileged:
        os.setgroups([])
        os.setresgid(order.uid, order.uid, order.uid)
        os.setresuid(order.uid, order.uid, order.uid)
        raised.walls["user"] = f"own kernel user {order.uid}"
    capabilities.drop_all()
    raised.walls["privileges"] = "no capabilities, no_new_privs"


def _filter_calls(order: Order, template: Template, raised: Raised) -> None:
    processes.hide_memory()
    seccomp.load(seccomp.filter_of(*call_rules(order, template)))
    raised.walls["network"] = "closed: no sockets (seccomp, Landlock)"
    raised.walls["system calls"] = "seccomp, native architecture only"
    raised.walls["rights"] = ", ".join(rights(order))
