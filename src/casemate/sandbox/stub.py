"""The name server that a task sees: sockets on its own loopback, of which the worker holds the other use (`names`)."""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_address

from casemate.sandbox.kernel.calls import Call, Opened

PORT = 53
ADDRESS = "127.0.0.1"
_WAITING = 16


def resolvers(resolv_conf: str) -> tuple[str, ...]:
    """The addresses of the name servers in a resolv.conf(5), as it is written; without any it is the host itself."""
    words = (line.split() for line in resolv_conf.splitlines())
    found = tuple(line[1] for line in words if len(line) > 1 and line[0] == "nameserver" and _is_address(line[1]))
    return found or (ADDRESS,)


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def resolv_conf(host: str) -> str:
    """The resolv.conf(5) for a sandbox: the host's search list and the stub."""
    kept = [line for line in host.splitlines() if line.split()[:1] in (["search"], ["domain"], ["options"])]
    return "\n".join((*kept, f"nameserver {ADDRESS}", ""))


def opened(datagrams: Opened, streams: Opened) -> tuple[Call, ...]:
    """What opens the stub's sockets, for datagrams and for streams.

    To be made inside, with `lo` up and before privileges go; the worker gets the descriptors. EACCES or EPERM: the
    network namespace is not ours.
    """
    return (
        *_bound(socket.SOCK_DGRAM, datagrams),
        *_bound(socket.SOCK_STREAM, streams),
        Call("listen", (streams, _WAITING)),
    )


def _bound(kind: int, opened: Opened) -> tuple[Call, ...]:
    options = kind | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", PORT, socket.inet_aton(ADDRESS))
    return (
        Call("socket", (socket.AF_INET, options, 0), into=opened),
        Call("bind", (opened, address, len(address)), purpose="the resolver's stub"),
    )
