"""What a process can say about itself: who it is, that it dies with its parent, that its memory is hidden, what stays
open; see prctl(2) where no other page is named.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import struct

from casemate.sandbox.kernel.calls import CURRENT_FOLDER, Call, Opened, system_call, written

_PARENT_DEATH_SIGNAL = 1
_DUMPABLE = 4
_NAME = 15
_CHILD_SUBREAPER = 36
_ARGUMENTS_START, _ARGUMENTS_END = 48, 49
"""Fields of /proc/PID/stat, counted from 1 as proc(5) does; the third is the first after the name."""
_HIGHEST_DESCRIPTOR = 0xFFFF_FFFF
_FIRST_TO_DIE = "1000"
_POLLED, _TIME = 8, 16
"""Bytes of a struct pollfd and of a struct timespec."""


def die_with_parent(parent: int | None = None, by: signal.Signals = signal.SIGKILL) -> tuple[Call, ...]:
    """Have the kernel send this process a signal when the thread that made it ends.

    A change of user or capabilities forgets this, so it comes after them. `parent` is a pidfd, of which it is then
    asked whether it has ended already, see ppoll(2): nobody would hear of that. EPROTO: it has.
    """
    asked = Call("prctl", (_PARENT_DEATH_SIGNAL, by, 0, 0, 0))
    if parent is None:
        return (asked,)
    ended = ctypes.create_string_buffer(struct.pack("ihh", parent, select.POLLIN, 0), _POLLED)
    at_once = ctypes.create_string_buffer(_TIME)
    return asked, Call("ppoll", (ended, 1, at_once, None, 0), gives=0, purpose="the parent process has ended")


def adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent ends."""
    system_call("prctl", _CHILD_SUBREAPER, 1, 0, 0, 0)


def own_directory(processes: str, into: Opened) -> Call:
    """Open the directory of this process in a procfs, see proc(5); `processes` is where that is."""
    path = f"{processes}/self"
    return Call("openat", (CURRENT_FOLDER, path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, 0), into, purpose=path)


def become(uid: int) -> tuple[Call, ...]:
    """Be this user and the group of its number from now on, and in no other group, see setresuid(2), setgroups(2).

    For a process of one thread: the kernel knows users of threads only. EPERM: without CAP_SETUID and CAP_SETGID;
    EINVAL: this user namespace has no such user.
    """
    return (
        Call("setgroups", (0, None)),
        Call("setresgid", (uid, uid, uid)),
        Call("setresuid", (uid, uid, uid)),
    )


def die_first(itself: Opened) -> tuple[Call, ...]:
    """When the machine's memory is used up, have the kernel end this process and its children before all others.

    `itself` is a descriptor of its directory in a writable procfs.
    """
    return written(itself, "oom_score_adj", _FIRST_TO_DIE)


def hide_memory() -> Call:
    """Make this process undumpable: no one of the same user may read its memory, descriptors or environment."""
    return Call("prctl", (_DUMPABLE, 0, 0, 0, 0))


def show_memory() -> Call:
    """Undo the hiding that a change of user brings, for a process whose memory its broker must read."""
    return Call("prctl", (_DUMPABLE, 1, 0, 0, 0))


def rename(name: str) -> None:
    """Replace the command line that others see by `name`, as far as there is room; the old one names host paths."""
    with open("/proc/self/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    start, end = int(fields[_ARGUMENTS_START - 3]), int(fields[_ARGUMENTS_END - 3])
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, name.encode(), min(len(name), end - start - 1))
    system_call("prctl", _NAME, name, 0, 0, 0)


def keep_only(*descriptors: int) -> tuple[Call, ...]:
    """Make these descriptors 0, 1, 2 and so on, in this order, and close all others. The first three survive exec.

    See dup3(2), close_range(2). EBADF: one of them is not open, or there may be no copies above them (RLIMIT_NOFILE);
    ENOSYS: before Linux 5.9.
    """
    kept = len(descriptors)
    # a copy above all of them where one stands in the way, so that no target overwrites what is still wanted
    free = max((kept, *descriptors)) + 1
    above = [each if each >= kept else free + place for place, each in enumerate(descriptors)]
    moved = (pair for pair in zip(descriptors, above, strict=True) if pair[0] != pair[1])
    return (
        *(Call("dup3", (each, copy, os.O_CLOEXEC)) for each, copy in moved),
        *(Call("dup3", (copy, target, 0 if target <= 2 else os.O_CLOEXEC)) for target, copy in enumerate(above)),
        Call("close_range", (kept, _HIGHEST_DESCRIPTOR, 0)),
    )
