"""Control groups, see cgroups(7): processes that are counted and limited together. Plain files, nothing else.

Version 1 has one tree for each controller, version 2 one for all of them; many machines mix the two. Neither is asked
for its version: a tree is of use if a group can be made below our own one, and takes a limit.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from casemate.sandbox.kernel.calls import Call

CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
CPU_UNIT = {True: 1e-6, False: 1e-9}
"""Seconds in which version 2 (True) and version 1 count processor time."""
_PERIOD = 100_000
"""Microseconds over which a share of the processors is counted."""
_PATIENCE = 1.0
_ENOUGH = 4096
"""Bytes of a file that a group shows numbers in."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group of one tree, by its folder."""

    path: str
    second: bool

    def write(self, name: str, value: object) -> None:
        """Write one of its files. OSError: EINVAL a value that makes no sense, EBUSY one that is below what is used."""
        descriptor = os.open(f"{self.path}/{name}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, str(value).encode())
        finally:
            os.close(descriptor)

    def read(self, name: str) -> str:
        """Read one of its files. FileNotFoundError: this kernel does not have it, or the group is gone."""
        with open(f"{self.path}/{name}") as file:
            return file.read()

    def has(self, name: str) -> bool:
        """Whether it has a file of this name."""
        return os.path.exists(f"{self.path}/{name}")


@dataclass(frozen=True, slots=True)
class Tree:
    """One mounted tree: the group that this process is in, and the controllers to be had there."""

    own: Group
    controllers: tuple[str, ...]


def trees() -> tuple[Tree, ...]:
    """The trees with controllers of use to us, each with our own place in it; those that are not mounted are left out.

    Reads /proc/self/cgroup and /proc/self/mountinfo, see cgroups(7) and proc(5).
    """
    places = dict(_places(Path("/proc/self/cgroup").read_text()))
    return tuple(_mounted(Path("/proc/self/mountinfo").read_text(), places))


def _places(text: str) -> Iterator[tuple[str, str]]:
    """Controller to our path in its tree; that of version 2 has the name ``."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path


def _mounted(text: str, places: Mapping[str, str]) -> Iterator[Tree]:
    for line in text.splitlines():
        fields, kind, options = _mount(line)
        if kind == "cgroup2" and "" in places:
            own = Group(_inside(fields[4], fields[3], places[""]), second=True)
            yield Tree(own, _offered(own))
        elif kind == "cgroup":
            had = tuple(each for each in options.split(",") if each in CONTROLLERS and each in places)
            if had:
                yield Tree(Group(_inside(fields[4], fields[3], places[had[0]]), second=False), had)


def _mount(line: str) -> tuple[list[str], str, str]:
    """The fields before the dash, the type and the options of a file system, see proc(5)."""
    before, _, after = line.partition(" - ")
    kind, _, options = after.split(maxsplit=2)
    return before.split(), kind, options


def _inside(mount: str, root: str, path: str) -> str:
    """Where a group is seen: the mount of a container may show a part of the tree only."""
    below = path.removeprefix(root.rstrip("/")) if path.startswith(root) else path
    return os.path.normpath(f"{mount}/{below}")


def _offered(own: Group) -> tuple[str, ...]:
    """What of version 2 our own group may hand on."""
    with contextlib.suppress(OSError):
        return tuple(each for each in own.read("cgroup.controllers").split() if each in CONTROLLERS)
    return ()


def below(parent: Group, name: str) -> Group:
    """A group below another one; one that is there already will do.

    OSError: EACCES, EROFS or EPERM where the tree is not delegated to this user; ENOSPC, EAGAIN: too many.
    """
    group = Group(f"{parent.path}/{name}", parent.second)
    with contextlib.suppress(FileExistsError):
        os.mkdir(group.path, 0o755)
    return group


def hand_on(group: Group, controllers: tuple[str, ...]) -> None:
    """Version 2: let groups below have these controllers.

    OSError: EBUSY while processes are in the group itself, ENOENT for one that it does not have.
    """
    group.write("cgroup.subtree_control", " ".join(f"+{each}" for each in controllers))


def take_back(group: Group, controllers: tuple[str, ...]) -> None:
    """Version 2: undo `hand_on`. OSError: EBUSY while a group below hands them on itself."""
    group.write("cgroup.subtree_control", " ".join(f"-{each}" for each in controllers))


def enter(descriptor: int) -> Call:
    """Move this process into a group whose `cgroup.procs` somebody has opened who may.

    OSError: EACCES if he may not; EBUSY for a group of version 2 that hands controllers on; ENODEV if it is gone;
    EINVAL for a process of real-time priority, which the group has no time for.
    """
    return Call("write", (descriptor, b"0", 1), purpose="its control groups cannot be entered")


def limit_memory(group: Group, size: int | None) -> None:
    """How much all its processes may have together, files in memory and page cache included, and no swap beside it.

    OSError: EBUSY if more is in use and cannot be given back.
    """
    if group.second:
        group.write("memory.max", "max" if size is None else size)
        if group.has("memory.swap.max"):
            group.write("memory.swap.max", 0)
        return
    swaps = group.has("memory.memsw.limit_in_bytes")
    if swaps:
        group.write("memory.memsw.limit_in_bytes", -1)  # it may never be below the other one
    group.write("memory.limit_in_bytes", -1 if size is None else size)
    if swaps and size is not None:
        group.write("memory.memsw.limit_in_bytes", size)


def limit_processes(group: Group, most: int | None) -> None:
    """How many processes and threads there may be at a time."""
    group.write("pids.max", "max" if most is None else most)


def limit_cpu(group: Group, cores: float | None) -> None:
    """How many processors' time it may use; a fraction is part of one."""
    quota = None if cores is None else max(1000, round(cores * _PERIOD))
    if group.second:
        group.write("cpu.max", f"{'max' if quota is None else quota} {_PERIOD}")
    else:
        group.write("cpu.cfs_period_us", _PERIOD)
        group.write("cpu.cfs_quota_us", -1 if quota is None else quota)


@dataclass(frozen=True, slots=True)
class Meter:
    """A number that a group shows, read from a file that stays open: to open it takes longer than to read it."""

    descriptor: int
    key: str = ""
    """The line that has it, in a file of several."""

    def read(self) -> int:
        """The number as it is now. OSError: ENODEV if the group is gone."""
        text = os.pread(self.descriptor, _ENOUGH, 0)
        return _counted(text.decode(), self.key) if self.key else int(text)

    def begin_anew(self) -> None:
        """Count the most from now on; for `memory_peak` only."""
        os.pwrite(self.descriptor, b"0", 0)

    def close(self) -> None:
        """To be called once."""
        os.close(self.descriptor)


def _meter(group: Group, name: str, key: str = "", flags: int = os.O_RDONLY) -> Meter:
    """FileNotFoundError: this kernel does not show it."""
    return Meter(os.open(f"{group.path}/{name}", flags | os.O_CLOEXEC), key)


def memory_used(group: Group) -> Meter:
    """Bytes that are charged to it."""
    return _meter(group, "memory.current" if group.second else "memory.usage_in_bytes")


def memory_peak(group: Group) -> Meter | None:
    """The most bytes that were charged at a time; None for version 2 before Linux 6.12, which cannot begin anew."""
    with contextlib.suppress(OSError):  # FileNotFoundError or EINVAL
        return _meter(group, "memory.peak" if group.second else "memory.max_usage_in_bytes", flags=os.O_RDWR)
    return None


def killed_for_memory(group: Group) -> Meter:
    """How many processes the kernel has ended because of its limit of memory, ever."""
    return _meter(group, "memory.events" if group.second else "memory.oom_control", "oom_kill")


def processes(group: Group) -> Meter:
    """How many processes and threads are in it."""
    return _meter(group, "pids.current")


def refused_processes(group: Group) -> Meter:
    """How often a process or thread was refused because of its limit, ever."""
    return _meter(group, "pids.events", "max")


def cpu_time(group: Group) -> Meter:
    """Processor time of all that was ever in it, in `CPU_UNIT` seconds for its version."""
    return _meter(group, "cpu.stat", "usage_usec") if group.second else _meter(group, "cpuacct.usage")


def drop_cache(group: Group) -> None:
    """Give back what is charged to a group without processes: page cache of files that its last ones used.

    OSError: EAGAIN or EBUSY where not all of it could be.
    """
    if group.second:
        group.write("memory.reclaim", int(group.read("memory.current")))
    else:
        group.write("memory.force_empty", 0)


def members(group: Group) -> tuple[int, ...]:
    """Its processes. Those of a pid namespace that is not below ours have the number 0.

    The file is opened each time: one of version 1 that stays open goes on showing what it showed first.
    """
    return tuple(map(int, group.read("cgroup.procs").split()))


def kill(group: Group) -> None:
    """End all processes in it, also those that it makes meanwhile. They are gone some moments later.

    Version 2 has a file for that since Linux 5.14; without it no new ones are let in while we go through the list.
    """
    if group.has("cgroup.kill"):
        group.write("cgroup.kill", 1)
        return
    if group.has("pids.max"):
        limit_processes(group, 0)
    for process in filter(None, members(group)):  # 0 is one that we cannot name; to kill(2) it would be ourselves
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def remove(group: Group) -> None:
    """Remove it, with whatever is still in it and the groups below. One that is not there is removed.

    OSError: EBUSY if its processes do not go.
    """
    if not os.path.isdir(group.path):
        return
    for entry in os.scandir(group.path):
        if entry.is_dir(follow_symlinks=False):
            remove(Group(entry.path, group.second))
    deadline = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(FileNotFoundError):
            kill(group)
        try:
            os.rmdir(group.path)
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _counted(text: str, name: str) -> int:
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
