"""The walls where the kernel gives no namespaces: Landlock, filters, and a kernel user of its own where we are root.

Weaker than those of `walls.py`, and only built where the operator has asked for them in words. What is outside cannot
be read, written, signalled or connected to; that it is there can be seen.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import PurePath

from casemate.sandbox.kernel import capabilities, landlock, processes, seccomp
from casemate.sandbox.kernel.calls import Call, Opened, do
from casemate.sandbox.kernel.landlock import Access
from casemate.sandbox.orders import TEMPORARY, Order, Template
from casemate.sandbox.zygote.grants import grants
from casemate.sandbox.zygote.walls import (
    NEW_FILES,
    call_rules,
    command_filter,
    enter_groups,
    limit,
    limits_in_words,
    rights,
)


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


def raise_around(order: Order, template: Template, parent: int, doors: range) -> dict[str, str]:
    """Build every wall around this process, but for the last that a command gets in its own process: `enclose`.

    `parent` is a pidfd of the warden, `doors` are descriptors that lead into control groups; they are closed here.
    The result says of each wall what it is made of.
    """
    os.umask(NEW_FILES)
    do(*enter_groups(doors))
    os.chdir(os.path.join(template.folder, order.work))
    _die_first()
    do(*(processes.become(order.uid) if template.privileged else ()), *capabilities.drop_all())
    os.makedirs(TEMPORARY, mode=0o700, exist_ok=True)
    do(*limit(order))
    if order.kind == "body":
        enclose(template)
    # a change of user would make the kernel forget it, so not earlier
    do(*processes.die_with_parent(parent))
    os.close(parent)
    do(processes.hide_memory(), seccomp.load(seccomp.filter_of(*call_rules(order, template))))
    return {
        "processes": "processes of other sandboxes out of reach",
        "ipc": "seccomp, Landlock",
        "user": f"own kernel user {order.uid}" if template.privileged else "the worker's own",
        "privileges": "no capabilities, no_new_privs",
        "limits": ", ".join(limits_in_words(order)),
        "files": f"Landlock ABI {landlock.version()}",
        "network": "closed: no sockets (seccomp, Landlock)",
        "system calls": "seccomp, native architecture only",
        "rights": ", ".join(rights(order)),
    }


def assemble_filters(order: Order, template: Template) -> None:
    """Have them ready before a child needs them: to assemble one takes longer than to load it."""
    seccomp.filter_of(*call_rules(order, template))
    command_filter(order)


def enclose(template: Template) -> None:
    """Confine this process to its launch folder and what a private root would show."""
    allowed = {**grants(template), ".": Access.ALL, "/proc/self": Access.READ}
    landlock.confine(allowed, landlock.version(), closed=landlock.TO_PORTS | landlock.TO_PEERS)


def _die_first() -> None:
    itself = Opened()
    do(processes.own_directory("/proc", itself), *processes.die_first(itself), Call("close", (itself,)))
