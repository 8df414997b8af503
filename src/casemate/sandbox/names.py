"""How names resolve where there is no network: a stub inside, of which the worker holds the socket, asks our resolvers.

Nothing but the datagrams of that stub passes, to nothing but port 53 of those resolvers: no datagram socket of the
worker's network is ever put into a task, because the task could send with it to anyone.
"""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias

from casemate.sandbox.polling import Polling

PORT = 53
STUB_ADDRESS = "127.0.0.1"
_LARGEST = 65535
_MOST_QUERIES = 128
_AT_ONCE = 32
_PATIENCE = 5.0

Noted: TypeAlias = Callable[[str, int], None]


def resolvers(resolv_conf: str) -> tuple[str, ...]:
    """The addresses of the name servers in a resolv.conf(5), as it is written; without any it is the host itself."""
    words = (line.split() for line in resolv_conf.splitlines())
    found = tuple(line[1] for line in words if len(line) > 1 and line[0] == "nameserver" and _is_address(line[1]))
    return found or (STUB_ADDRESS,)


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def resolv_conf(host: str, *, stub: bool) -> str:
    """The resolv.conf(5) for a sandbox: the host's search list and the stub, or without one its resolvers over TCP."""
    kept = [line for line in host.splitlines() if line.split()[:1] in (["search"], ["domain"], ["options"])]
    if stub:
        return "\n".join((*kept, f"nameserver {STUB_ADDRESS}", ""))
    servers = [f"nameserver {address}" for address in resolvers(host)]
    return "\n".join((*kept, *servers, "options use-vc", ""))


def open_stub() -> socket.socket:
    """The stub's socket. To be called inside, with `lo` up and before privileges go; the worker gets the descriptor.

    OSError: EACCES or EPERM when the network namespace is not ours.
    """
    stub = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        stub.bind((STUB_ADDRESS, PORT))
    except OSError:
        stub.close()
        raise
    return stub


@dataclass(frozen=True, slots=True)
class _Query:
    asker: tuple[str, int]
    message: bytes
    left: tuple[str, ...]


class Relay:
    """Carries queries from the stub to the resolvers, one after the other until one answers, and answers back."""

    def __init__(self, stub: socket.socket, resolvers: tuple[str, ...], polling: Polling, noted: Noted) -> None:
        """`noted` hears of every resolver that was asked."""
        self._stub = stub
        self._resolvers = resolvers
        self._polling = polling
        self._noted = noted
        self._asking: dict[int, socket.socket] = {}
        stub.setblocking(False)
        polling.watch(stub.fileno(), select.POLLIN, lambda _: self._hear())

    def _hear(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                message, asker = self._stub.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:  # the echo of an answer that its asker did not wait for
                continue
            self._ask(_Query(asker, message, self._resolvers))

    def _ask(self, query: _Query) -> None:
        """Ask the next resolver. A query too many, or that no resolver answers, is dropped, and its asker gives up."""
        if not query.left or len(self._asking) >= _MOST_QUERIES:
            return
        address, rest = query.left[0], _Query(query.asker, query.message, query.left[1:])
        asking = socket.socket(_family(address), socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            asking.connect((address, PORT))
            asking.send(query.message)
        except OSError:
            asking.close()
            self._ask(rest)
            return
        self._noted(address, PORT)
        self._asking[asking.fileno()] = asking
        descriptor = asking.fileno()
        self._polling.watch(
            descriptor,
            select.POLLIN,
            lambda _: self._answered(descriptor, rest),
            seconds=_PATIENCE,
            late=lambda: self._done(descriptor, rest),
        )

    def _answered(self, descriptor: int, query: _Query) -> None:
        try:
            answer = self._asking[descriptor].recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError:
            self._done(descriptor, query)
            return
        if answer[:2] != query.message[:2]:  # not the answer to this question: wait on
            return
        self._done(descriptor, None)
        self._reply(answer, query.asker)

    def _reply(self, answer: bytes, asker: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # the asker is gone: as on any network, the answer is lost
            self._stub.sendto(answer, asker)

    def _done(self, descriptor: int, retry: _Query | None) -> None:
        self._polling.forget(descriptor)
        self._asking.pop(descriptor).close()
        if retry:
            self._ask(retry)

    def close(self) -> None:
        """Drop every question."""
        for descriptor in tuple(self._asking):
            self._done(descriptor, None)
        self._polling.forget(self._stub.fileno())
        self._stub.close()


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
