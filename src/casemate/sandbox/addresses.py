"""Socket addresses as the bytes that a task hands to the kernel, and what they mean. No byte of them is trusted."""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

_FAMILY = struct.Struct("=H")
_SHORTEST_INET, _SHORTEST_INET6 = 16, 24
_LONGEST_PATH = 108


@dataclass(frozen=True, slots=True)
class Inet:
    """An IPv4 or IPv6 address, IPv4-mapped ones as IPv4, and a port."""

    address: str
    port: int

    @property
    def is_inside(self) -> bool:
        """True for what never leaves a network namespace: loopback, and "any", which means the same here."""
        address = ip_address(self.address)
        return address.is_loopback or address.is_unspecified


@dataclass(frozen=True, slots=True)
class Unix:
    """A unix socket: a path, or an abstract name, which begins with a zero byte."""

    name: bytes

    @property
    def is_abstract(self) -> bool:
        """Abstract names belong to a network namespace, paths to the file tree."""
        return self.name.startswith(b"\0")


@dataclass(frozen=True, slots=True)
class Nobody:
    """No peer: the wish to be disconnected."""


Destination: TypeAlias = Inet | Unix | Nobody


@lru_cache(maxsize=1024)
def parsed(raw: bytes) -> Destination:
    """What an address means. OSError with EINVAL: too short; EAFNOSUPPORT: a family that tasks do not have."""
    if len(raw) < _FAMILY.size:
        raise OSError(errno.EINVAL, "address too short")
    match _FAMILY.unpack_from(raw)[0]:
        case socket.AF_UNSPEC:
            return Nobody()
        case socket.AF_UNIX:
            return _unix(raw[_FAMILY.size :])
        case socket.AF_INET:
            return _inet(raw)
        case socket.AF_INET6:
            return _inet6(raw)
    raise OSError(errno.EAFNOSUPPORT, "family of address")


def _unix(name: bytes) -> Unix:
    """A path ends at its first zero byte, an abstract name only with the address."""
    name = name if name.startswith(b"\0") else name.partition(b"\0")[0]
    if not name or len(name) > _LONGEST_PATH:
        raise OSError(errno.EINVAL, "name of unix socket")
    return Unix(name)


def _inet(raw: bytes) -> Inet:
    if len(raw) < _SHORTEST_INET:
        raise OSError(errno.EINVAL, "address too short")
    port, packed = struct.unpack_from(">H4s", raw, _FAMILY.size)
    return Inet(str(IPv4Address(packed)), port)


def _inet6(raw: bytes) -> Inet:
    if len(raw) < _SHORTEST_INET6:
        raise OSError(errno.EINVAL, "address too short")
    port, packed = struct.unpack_from(">H4x16s", raw, _FAMILY.size)
    address = IPv6Address(packed)
    return Inet(str(address.ipv4_mapped or address), port)


def packed(address: str, port: int, family: int) -> bytes:
    """The bytes of an address for a socket of a family; IPv4 in an IPv6 socket is mapped.

    OSError with EAFNOSUPPORT: an IPv6 address for an IPv4 socket.
    """
    parsed_address = ip_address(address.partition("%")[0])
    if family == socket.AF_INET:
        if isinstance(parsed_address, IPv6Address):
            raise OSError(errno.EAFNOSUPPORT, "family of address")
        return _FAMILY.pack(socket.AF_INET) + struct.pack(">H4s8x", port, parsed_address.packed)
    mapped = parsed_address if isinstance(parsed_address, IPv6Address) else IPv6Address(f"::ffff:{parsed_address}")
    return _FAMILY.pack(socket.AF_INET6) + struct.pack(">H4x16s4x", port, mapped.packed)


def packed_path(path: bytes) -> bytes:
    """The bytes of a path of a unix socket."""
    return _FAMILY.pack(socket.AF_UNIX) + path + b"\0"
