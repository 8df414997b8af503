"""What a process can say about itself: die with its parent, hide its memory, close its descriptors, see prctl(2)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import signal

from casemate.sandbox.kernel.calls import libc_call, system_call

_PARENT_DEATH_SIGNAL = 1
_DUMPABLE = 4
_NAME = 15
_CHILD_SUBREAPER = 36
_ARGUMENTS_START, _ARGUMENTS_END = 48, 49
"""Fields of /proc/PID/stat, counted from 1 as proc(5) does; the third is the first after the name."""
_HIGHEST_DESCRIPTOR = 0xFFFF_FFFF
_FIRST_TO_DIE = b"1000"


def die_with_parent(parent: int | None = None, by: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when the thread that made it ends.

    A change of user or capabilities forgets this, so it comes after them. `parent` is a pidfd: ProcessLookupError if it
    has ended already, because then nobody would hear of it.
    """
    libc_call("prctl", _PARENT_DEATH_SIGNAL, by, 0, 0, 0)
    if parent is not None and select.select((parent,), (), (), 0)[0]:
        raise ProcessLookupError(errno.ESRCH, "the parent process has ended")


def adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent ends."""
    libc_call("prctl", _CHILD_SUBREAPER, 1, 0, 0, 0)


def die_first(itself: int) -> None:
    """When the machine's memory is used up, have the kernel end this process and its children before all others.

    `itself` is a descriptor of its directory in a writable procfs.
    """
    descriptor = os.open("oom_score_adj", os.O_WRONLY | os.O_CLOEXEC, dir_fd=itself)
    try:
        os.write(descriptor, _FIRST_TO_DIE)
    finally:
        os.close(descriptor)


def hide_memory() -> None:
    """Make this process undumpable: no one of the same user may read its memory, descriptors or environment."""
    libc_call("prctl", _DUMPABLE, 0, 0, 0, 0)


def show_memory() -> None:
    """Undo the hiding that a change of user brings, for a process whose memory its broker must read."""
    libc_call("prctl", _DUMPABLE, 1, 0, 0, 0)


def rename(name: str) -> None:
    """Replace the command line that others see by `name`, as far as there is room; the old one names host paths."""
    with open("/proc/self/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    start, end = int(fields[_ARGUMENTS_START - 3]), int(fields[_ARGUMENTS_END - 3])
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, name.encode(), min(len(name), end - start - 1))
    libc_call("prctl", _NAME, name, 0, 0, 0)


def keep_only(*descriptors: int) -> None:
    """Make these descriptors 0, 1, 2 and so on, in this order, and close all others. The first three survive exec."""
    kept = len(descriptors)
    # a copy above the targets where one stands in the way, so that no target overwrites what is still wanted
    above = [each if each >= kept else fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, kept) for each in descriptors]
    for target, descriptor in enumerate(above):
        os.dup2(descriptor, target, inheritable=target <= 2)
    system_call("close_range", kept, _HIGHEST_DESCRIPTOR, 0)
