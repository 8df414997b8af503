"""Namespaces: own views of processes, mounts, users, network, System V objects and host name, see namespaces(7)."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct

from casemate.sandbox.kernel.calls import Call, Opened, do, written
from casemate.sandbox.kernel.machine import THIS

MOUNT = 0x0002_0000
CGROUP = 0x0200_0000
UTS = 0x0400_0000
IPC = 0x0800_0000
USER = 0x1000_0000
PROCESSES = 0x2000_0000
NETWORK = 0x4000_0000
TIME = 0x0000_0080

# Looked up once, here: in a child each look-up, and each page it touches, would be paid for anew.
_before_fork = ctypes.pythonapi.PyOS_BeforeFork
_after_fork_in_parent = ctypes.pythonapi.PyOS_AfterFork_Parent
_after_fork_in_child = ctypes.pythonapi.PyOS_AfterFork_Child
_clone = ctypes.PyDLL(None, use_errno=True).syscall  # which keeps the interpreter's lock, as os.fork() does
_clone.restype = ctypes.c_long
_clone.argtypes = (ctypes.c_long, *(ctypes.c_ulong,) * 5)
_CLONE = THIS.numbers.get("clone", -1)

_TELL_PARENT = int(signal.SIGCHLD)

_SIOCSIFFLAGS = 0x8914
_UP_AND_RUNNING = 0x41


def unshare(flags: int) -> Call:
    """Leave the old namespaces for new ones of these kinds; see its page in section 2 of the manual.

    EPERM: no right to (not root and user namespaces closed, or a filter around us); ENOSPC: the sysctl
    `user.max_*_namespaces` is used up; EUSERS: user namespaces nested too deeply.
    """
    return Call("unshare", (flags,))


def fork_into(flags: int) -> int:
    """A fork whose child starts in new namespaces, see clone(2): 0 in the child, its process id in the parent.

    os.fork() cannot do this, because a process can unshare its children's pid namespace only once. Python's own
    preparations for a fork are made by hand. The caller must be single-threaded. Failures are those of `unshare`,
    and EAGAIN or ENOSPC when there are too many processes or pid namespaces.
    """
    _before_fork()
    process = _clone(_CLONE, flags | _TELL_PARENT, 0, 0, 0, 0)
    if process == 0:
        _after_fork_in_child()
        return 0
    _after_fork_in_parent()
    if process < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"clone: {os.strerror(number)}")
    return int(process)


def enter_network(network: int) -> Call:
    """Move this process into the network namespace of a descriptor, see setns(2). EPERM: it is not ours."""
    return Call("setns", (network, NETWORK))


def map_identity(itself: int | Opened, inner: int, uid: int, gid: int) -> tuple[Call, ...]:
    """Give this process one user and one group in the user namespace it has just entered, see user_namespaces(7).

    `itself` is a descriptor of its directory in a writable procfs; `uid` and `gid` are its ids in the parent namespace,
    `inner` is what both are called inside. EPERM: the namespace has a map already, or the ids are not ours.
    """
    return (
        *written(itself, "setgroups", "deny"),
        *written(itself, "uid_map", f"{inner} {uid} 1"),
        *written(itself, "gid_map", f"{inner} {gid} 1"),
    )


def map_users(process: int, first: int, count: int) -> None:
    """Give the new user namespace of a process our root and a range of users and groups, by the numbers they have here.

    The caller is root outside of it. EPERM: without CAP_SETUID, CAP_SETGID and CAP_SETFCAP, or there is a map already.
    """
    directory = os.open(f"/proc/{process}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in ("uid_map", "gid_map"):
            do(*written(directory, name, f"0 0 1\n{first} {first} {count}\n"))
    finally:
        os.close(directory)


def has_identity(number: int) -> bool:
    """Whether there is a user and a group of this number here; root of a small user namespace cannot become others."""
    return all(_maps(name, number) for name in ("uid_map", "gid_map"))


def _maps(name: str, number: int) -> bool:
    with open(f"/proc/self/{name}") as file:
        ranges = [tuple(map(int, line.split())) for line in file]
    return any(first <= number < first + length for first, _, length in ranges)


def raise_loopback() -> tuple[Call, ...]:
    """Bring `lo` up in an own network namespace, so that a program can talk to itself, see netdevice(7).

    EPERM: the network namespace is not ours.
    """
    any_socket, request = Opened(), ctypes.create_string_buffer(struct.pack("16sh14x", b"lo", _UP_AND_RUNNING), 32)
    return (
        Call("socket", (socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0), into=any_socket),
        Call("ioctl", (any_socket, _SIOCSIFFLAGS, request), purpose="loopback"),
        Call("close", (any_socket,)),
    )


def set_host_name(name: str) -> None:
    """Name the host inside an own UTS namespace, see sethostname(2). EPERM: the namespace is not ours."""
    socket.sethostname(name)
