"""A network of the red team's own: metadata addresses answer here, and nothing of it leaves the machine."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

METADATA = (
    *("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
    *("10.1.2.3", "172.17.0.1", "192.168.7.7"),
    *("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fd12::1", "fec0::1"),
)
"""Where clouds keep the credentials of a machine; private networks; and what would be translated to one of them."""

_NEW_USER, _NEW_NETWORK = 0x1000_0000, 0x4000_0000
_SET_FLAGS, _SET_ADDRESS, _SET_NETMASK = 0x8914, 0x8916, 0x891C
_UP_AND_RUNNING = 0x41
_VERSION_3 = 0x2008_0522
_LOOPBACK = 1
"""The first interface of every network namespace."""


def enter(addresses: Iterable[str] = METADATA) -> bool:
    """Leave the machine's network for one that has these addresses and nobody else; False if it cannot be done here.

    Must be called before a thread is started. An ordinary user gets it with a user namespace, under his own number.
    A child tries it first: half way there is no way back.
    """
    given = tuple(addresses)
    child = os.fork()
    if child == 0:
        os._exit(_entered(given))
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        return False
    return not _entered(given)


def _entered(addresses: Iterable[str]) -> int:
    """0, or the number of the error."""
    try:
        _leave_network()
        for number, address in enumerate(addresses):
            _add(number, address)
    except OSError as error:
        return error.errno or 1
    return 0


def _leave_network() -> None:
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK if uid == 0 else _NEW_NETWORK | _NEW_USER):
        raise OSError(ctypes.get_errno(), "unshare")
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def become_ordinary() -> None:
    """Give up what `enter` brought an ordinary user: he has no rights in his own namespace either from now on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() and libc.capset(struct.pack("II", _VERSION_3, 0), bytes(24)):
        raise OSError(ctypes.get_errno(), "capset")


def resolvers() -> tuple[str, ...]:
    """The name servers of this machine, as far as they are addresses."""
    file = Path("/etc/resolv.conf")
    words = [line.split() for line in file.read_text(errors="replace").splitlines()] if file.exists() else []
    return tuple(line[1].partition("%")[0] for line in words if line[:1] == ["nameserver"] and len(line) > 1)


def _add(number: int, address: str) -> None:
    """Give the loopback interface one more address; the first time it is switched on with it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))
        packed = ip_address(address).packed
        if len(packed) == 4:
            name = f"lo:{number + 1}".encode()
            fcntl.ioctl(any_socket, _SET_ADDRESS, _named_address(name, packed))
            fcntl.ioctl(any_socket, _SET_NETMASK, _named_address(name, b"\xff" * 4))
            return
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as any_socket:
        # not every machine has IPv6; what needs it then says so
        fcntl.ioctl(any_socket, _SET_ADDRESS, struct.pack("=16sIi", packed, 128, _LOOPBACK))


def _named_address(name: bytes, packed: bytes) -> bytes:
    """Struct ifreq with an IPv4 address."""
    return struct.pack("=16sHH4s8x", name, socket.AF_INET, 0, packed)
