"""The egress broker: a task in an empty network namespace asks to connect; the worker does it, if `egress` permits.

Every connect(2) of the task stops at a filter and comes here. What goes out is connected by us, in the worker's own
network, to an address we copied, and the connected socket takes the place of the task's. What stays inside (loopback,
unix sockets) is done by us on the task's own socket. Three rules keep this safe from a task that changes its memory and
its descriptors while we look:

- no call is ever continued by the kernel, so nobody looks a second time;
- only connected streams go in: such a socket takes no other peer, as connect(2) is ours and fast open is filtered;
- a socket of the worker's network that comes back is left alone, because another connect would free it of its peer.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from casemate.sandbox import caller, stub
from casemate.sandbox.addresses import Inet, Nobody, Unix, packed_path, parsed
from casemate.sandbox.connecting import UNDER_WAY, attempted, blocks, is_connected, like
from casemate.sandbox.egress import Verdict, permits, rules_of
from casemate.sandbox.model import Egress
from casemate.sandbox.names import Relay
from casemate.sandbox.notification import Listener, Stopped, is_over
from casemate.sandbox.pins import Pins
from casemate.sandbox.polling import Polling
from casemate.sandbox.report import Traffic

Descriptors: TypeAlias = tuple[int, int, int]
"""The listener, and the stub's sockets for datagrams and for streams."""
PATIENCE = timedelta(seconds=10)
"""How long a connection may take to be made. Its thread waits that long even if its socket does not block."""
_MOST_AT_ONCE = 64
_STUB = Inet(stub.ADDRESS, stub.PORT)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One connection to be made: on a socket of ours, where `to` says where it leads, or on the task's own."""

    stopped: Stopped
    socket: socket.socket
    address: bytes
    to: Inet | None = None
    verdict: Verdict | None = None
    place: int | None = None
    """A descriptor that `address` names, to be kept until the connection is made."""

    def close(self) -> None:
        """Give back what it holds; the task's own socket lives on in the task."""
        self.socket.close()
        if self.place is not None:
            os.close(self.place)


class Broker:
    """Serves one sandbox from `start` to `close`, in an own thread. Owns its descriptors."""

    def __init__(
        self, descriptors: Descriptors, egress: Egress, resolvers: tuple[str, ...], *, patience: timedelta = PATIENCE
    ) -> None:
        """`resolvers` are asked for the names that `egress` lets a task look up.

        ValueError: an entry of `egress` is none. OSError: the kernel is older than 5.14.
        """
        rules_of(egress)
        self._egress = egress
        self._patience = patience.total_seconds()
        self._network = _own_network()
        self._traffic = Traffic()
        self._pins = Pins()
        self._polling = Polling()
        listener, *stubs = descriptors
        datagrams, streams = (socket.socket(fileno=descriptor) for descriptor in stubs)
        self._listener = Listener(listener)
        self._relay = Relay(datagrams, streams, resolvers, self._polling, egress, self._pins, self._traffic)
        self._attempts: dict[int, _Attempt] = {}
        self._thread = threading.Thread(target=self._serve, name="egress broker", daemon=True)
        self._closed = False

    def start(self) -> None:
        """Begin to answer."""
        self._polling.watch(self._listener.descriptor, select.POLLIN, self._heard)
        self._relay.start()
        self._thread.start()

    def close(self) -> None:
        """Answer no more, break off what is being made, give all descriptors back. It may be called again."""
        if self._closed:
            return
        self._closed = True
        self._polling.stop()
        if self._thread.ident is None:
            self._give_back()
        else:
            self._thread.join()
        self._polling.close()

    def destinations(self) -> Traffic:
        """Where the task connected to, and where it was not let; complete once closed."""
        return self._traffic

    def _serve(self) -> None:
        try:
            self._polling.run()
        finally:
            self._give_back()  # also if we fail: whoever waits for an answer must not wait for ever

    def _give_back(self) -> None:
        self._listener.close()
        for attempt in self._attempts.values():
            attempt.close()
        self._relay.close()

    def _heard(self, events: int) -> None:
        if is_over(events):
            self._polling.stop()
        elif stopped := self._listener.receive():
            try:
                self._decide(stopped)
            except OSError as error:
                self._listener.answer(stopped, error.errno or errno.EACCES)

    def _decide(self, stopped: Stopped) -> None:
        raw = caller.address_bytes(stopped)
        theirs = caller.taken_socket(stopped)
        try:
            attempt = self._attempt(stopped, raw, theirs)
        except OSError:
            theirs.close()
            raise
        if attempt.socket is not theirs:
            theirs.close()
        self._go_on(attempt)

    def _attempt(self, stopped: Stopped, raw: bytes, theirs: socket.socket) -> _Attempt:
        """What is to be done, and on which socket. OSError: the errno to answer with instead."""
        if caller.network_of(theirs) == self._network:
            raise OSError(errno.EISCONN, "connected already")
        match parsed(raw):
            case Inet() as to if theirs.family in (socket.AF_INET, socket.AF_INET6):
                return self._to_inet(stopped, to, raw, theirs)
            case Unix() as to if theirs.family == socket.AF_UNIX:
                return _Attempt(stopped, theirs, raw) if to.is_abstract else _to_path(stopped, to, theirs)
            case Nobody():
                return _Attempt(stopped, theirs, raw)
        raise OSError(errno.EAFNOSUPPORT, "family of address")

    def _to_inet(self, stopped: Stopped, to: Inet, raw: bytes, theirs: socket.socket) -> _Attempt:
        """Streams go out if permitted. The rest stays in the empty network, where only loopback answers."""
        if to == _STUB:
            return _Attempt(stopped, theirs, raw)
        verdict = permits(to.address, to.port, self._egress, self._pins.names_of(to.address, time.monotonic()))
        if not verdict.allowed and not to.is_inside:
            self._traffic.deny(to.address, to.port, verdict.rule, self._host(to, verdict))
            raise OSError(errno.EACCES, verdict.rule)
        if theirs.type != socket.SOCK_STREAM or not verdict.allowed:
            return _Attempt(stopped, theirs, raw)
        if is_connected(theirs):
            raise OSError(errno.EISCONN, "connected already")
        if len(self._attempts) >= _MOST_AT_ONCE:
            raise OSError(errno.EAGAIN, "too many connections are being made")
        return _Attempt(stopped, like(theirs), raw, to, verdict)

    def _host(self, to: Inet, verdict: Verdict) -> str:
        """The name by which the task knows an address: the one that decided, else the latest it looked up."""
        return verdict.host or next(iter(self._pins.names_of(to.address, time.monotonic())), "")

    def _go_on(self, attempt: _Attempt) -> None:
        # All that was read of the caller was read of its thread id: only now is it sure that it still was the caller's.
        if not self._listener.waits(attempt.stopped):
            attempt.close()
            return
        error = attempted(attempt.socket, attempt.address)
        if error in UNDER_WAY and (attempt.to or blocks(attempt.socket)):
            self._wait(attempt)
        else:
            self._finish(attempt, error)

    def _wait(self, attempt: _Attempt) -> None:
        descriptor = attempt.socket.fileno()
        self._attempts[descriptor] = attempt
        self._polling.watch(
            descriptor,
            select.POLLOUT,
            lambda _: self._go_on(self._awaited(descriptor)),
            seconds=self._patience,
            late=lambda: self._finish(self._awaited(descriptor), errno.ETIMEDOUT),
        )

    def _awaited(self, descriptor: int) -> _Attempt:
        self._polling.forget(descriptor)
        return self._attempts.pop(descriptor)

    def _finish(self, attempt: _Attempt, error: int) -> None:
        if attempt.to and attempt.verdict and not error:
            error = self._put_in(attempt, attempt.to, attempt.verdict)
        attempt.close()
        self._listener.answer(attempt.stopped, error)

    def _put_in(self, attempt: _Attempt, to: Inet, verdict: Verdict) -> int:
        try:
            closes = caller.closes_on_exec(attempt.stopped)
        except OSError:
            return errno.EBADF
        if self._listener.replace(attempt.stopped, attempt.socket.fileno(), closes_on_exec=closes):
            self._traffic.reach(to.address, to.port, verdict.rule, self._host(to, verdict))
        return 0


def _to_path(stopped: Stopped, to: Unix, theirs: socket.socket) -> _Attempt:
    """A socket in the file tree, as the task sees the tree."""
    place = caller.found_socket(stopped, to.name)
    try:
        # The connection is made with our rights: only what the task's own user made is sure to be open to the task.
        if os.fstat(place).st_uid != caller.user_of(stopped):
            raise OSError(errno.EACCES, "socket of another user")
    except OSError:
        os.close(place)
        raise
    return _Attempt(stopped, theirs, packed_path(f"/proc/self/fd/{place}".encode()), place=place)


def _own_network() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as ours:
        return caller.network_of(ours)
