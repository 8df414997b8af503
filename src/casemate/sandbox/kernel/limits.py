"""Resource limits of a process and of each of its children, see setrlimit(2) and prlimit(2)."""

from __future__ import annotations

import itertools
import resource
import struct

from casemate.sandbox.kernel.calls import CURRENT_FOLDER, Call, Opened, written

_NAMES = {
    "memory": resource.RLIMIT_DATA,
    "processes": resource.RLIMIT_NPROC,
    "open_files": resource.RLIMIT_NOFILE,
    "file_size": resource.RLIMIT_FSIZE,
    "core": resource.RLIMIT_CORE,
    "locked_memory": resource.RLIMIT_MEMLOCK,
    "message_queues": resource.RLIMIT_MSGQUEUE,
    "signals": resource.RLIMIT_SIGPENDING,
}
"""Memory is RLIMIT_DATA, what a process can really write to: RLIMIT_AS would count the address space that runtimes
such as Node reserve and never use."""


NO_CORE = 1
"""The limit of cores at which the kernel neither writes one nor starts the host's program for them, see core(5).

At 0 that program, which runs as root on the host, would still be given the memory of whatever crashes inside.
"""

_LARGEST = (1 << 63) - 1
"""More than any machine has of anything, and not the number that stands for no limit."""
_WATCHERS = "16"
_SYSTEM_V = {"shmall": "16384", "msgmni": "32", "sem": "250 1024 32 128"}
"""Pages of shared memory (64 MiB), queues of 16 KiB, and sets of semaphores: they are the kernel's memory, and in no
limit of a process."""


def limit_ipc(processes: str) -> tuple[Call, ...]:
    """Limit the System V objects of this ipc namespace, see sysvipc(7); `processes` is where a writable procfs is.

    EACCES: we are not the user that is root where the namespace belongs.
    """
    settings = (written(CURRENT_FOLDER, f"{processes}/sys/kernel/{name}", most) for name, most in _SYSTEM_V.items())
    return tuple(itertools.chain.from_iterable(settings))


def limit_watchers(itself: Opened) -> tuple[Call, ...]:
    """Limit the inotify instances of the user namespace we have just entered, see namespaces(7), /proc/sys/user.

    They count against the user outside, too, who has 128 for all that he runs. `itself` is a descriptor of our
    directory in a writable procfs.
    """
    return written(itself, "../sys/user/max_inotify_instances", _WATCHERS)


def raise_open_files(wanted: int) -> int:
    """Let this process have this many descriptors, or as many as it may; the number that it may have from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft if soft != resource.RLIM_INFINITY else wanted


def limit(**amounts: int | None) -> tuple[Call, ...]:
    """Set limits by name, hard and soft alike; None leaves one as it is, a lower limit that stands now is kept.

    The limit of processes counts all of one user in one user namespace, and does not bind uid 0.
    """
    return tuple(_limited(_NAMES[name], amount) for name, amount in amounts.items() if amount is not None)


def _limited(kind: int, amount: int) -> Call:
    _, standing = resource.getrlimit(kind)
    most = min(amount, _LARGEST if standing == resource.RLIM_INFINITY else standing)
    return Call("prlimit64", (0, kind, struct.pack("QQ", most, most), None))
