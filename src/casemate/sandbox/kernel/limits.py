"""Resource limits of a process and of each of its children, see setrlimit(2)."""

from __future__ import annotations

import resource

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


def limit(**amounts: int | None) -> None:
    """Set limits by name, hard and soft alike; None leaves one as it is, a lower limit that stands already is kept.

    The limit of processes counts all of one user in one user namespace, and does not bind uid 0.
    """
    for name, amount in amounts.items():
        if amount is None:
            continue
        _, standing = resource.getrlimit(_NAMES[name])
        most = amount if standing == resource.RLIM_INFINITY else min(amount, standing)
        resource.setrlimit(_NAMES[name], (most, most))
