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

CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
_PERIOD = 100_000
"""Microseconds over which a share of the processors is counted."""
_PATIENCE = 1.0


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


def enter(descriptor: int) -> None:
    """Move this process into a group whose `cgroup.procs` somebody has opened who may.

    OSError: EACCES if he may not; EBUSY for a group of version 2 that hands controllers on; ENODEV if it is gone.
    """
    os.write(descriptor, b"0")


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


def memory_used(group: Group) -> int:
    """Bytes that are charged to it now."""
    return int(group.read("memory.current" if group.second else "memory.usage_in_bytes"))


def peak_from_now(group: Group) -> int:
    """A descriptor for `peak`, which counts from now on. To be closed by the caller.

    OSError: FileNotFoundError and EINVAL for version 2 before Linux 6.12, which cannot begin anew.
    """
    name = "memory.peak" if group.second else "memory.max_usage_in_bytes"
    descriptor = os.open(f"{group.path}/{name}", os.O_RDWR | os.O_CLOEXEC)
    try:
        os.write(descriptor, b"0")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def peak(descriptor: int) -> int:
    """The most bytes that were charged at a time since `peak_from_now`."""
    return int(os.pread(descriptor, 32, 0))


def drop_cache(group: Group) -> None:
    """Give back what is charged to a group without processes: page cache of files that its last ones used.

    OSError: EAGAIN or EBUSY where not all of it could be.
    """
    if group.second:
        group.write("memory.reclaim", memory_used(group))
    else:
        group.write("memory.force_empty", 0)


def killed_for_memory(group: Group) -> int:
    """How many processes the kernel has ended because of its limit of memory, ever."""
    return _counted(group.read("memory.events" if group.second else "memory.oom_control"), "oom_kill")


def refused_processes(group: Group) -> int:
    """How often a process or thread was refused because of its limit, ever."""
    return _counted(group.read("pids.events"), "max")


def cpu_seconds(group: Group) -> float:
    """Processor time of all that was ever in it."""
    if group.second:
        return _counted(group.read("cpu.stat"), "usage_usec") / 1e6
    return int(group.read("cpuacct.usage")) / 1e9


def members(group: Group) -> tuple[int, ...]:
    """Its processes. Those of a pid namespace that is not below ours have the number 0."""
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
