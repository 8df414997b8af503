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
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address

from casemate.sandbox import caller
from casemate.sandbox.addresses import Inet, Nobody, Unix, packed, packed_path, parsed
from casemate.sandbox.connecting import UNDER_WAY, attempted, blocks, is_connected, like
from casemate.sandbox.egress import operator_rules, permits
from casemate.sandbox.model import Egress
from casemate.sandbox.names import PORT, STUB_ADDRESS, Relay
from casemate.sandbox.notification import Listener, Stopped, is_over
from casemate.sandbox.polling import Polling
from casemate.sandbox.report import Traffic

PATIENCE = timedelta(seconds=10)
"""How long a connection may take to be made. Its thread waits that long even if its socket does not block."""
_MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One connection to be made: on a socket of ours, where `to` says where it leads, or on the task's own."""

    stopped: Stopped
    socket: socket.socket
    address: bytes
    to: Inet | None = None
    place: int | None = None
    """A descriptor that `address` names, to be kept until the connection is made."""

    def close(self) -> None:
        """Give back what it holds; the task's own socket lives on in the task."""
        self.socket.close()
        if self.place is not None:
            os.close(self.place)


class Broker:
    """Serves one sandbox from `start` to `close`, in an own thread. Owns the descriptors of listener and stub."""

    def __init__(
        self,
        listener: int,
        egress: Egress,
        resolvers: tuple[str, ...],
        *,
        stub: int | None = None,
        patience: timedelta = PATIENCE,
    ) -> None:
        """`resolvers` may be reached on port 53 whatever `egress` says; `stub` is the descriptor of `names.open_stub`.

        ValueError: a range of `egress` is none. OSError: the kernel is older than 5.14.
        """
        operator_rules(egress)
        self._egress = egress
        self._resolvers = tuple(str(ip_address(address.partition("%")[0])) for address in resolvers)
        self._patience = patience.total_seconds()
        self._network = _own_network()
        self._traffic = Traffic()
        self._polling = Polling()
        self._listener = Listener(listener)
        self._relay: Relay | None = None
        if stub is not None:
            self._relay = Relay(socket.socket(fileno=stub), resolvers, self._polling, self._traffic.reach)
        self._attempts: dict[int, _Attempt] = {}
        self._thread = threading.Thread(target=self._serve, name="egress broker", daemon=True)
        self._closed = False

    def start(self) -> None:
        """Begin to answer."""
        self._polling.watch(self._listener.descriptor, select.POLLIN, self._heard)
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
        if self._relay:
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
        stream = theirs.type == socket.SOCK_STREAM
        if stream and to == Inet(STUB_ADDRESS, PORT) and self._relay:
            to = Inet(self._resolver_for(theirs.family), PORT)
            return self._outward(stopped, to, packed(to.address, to.port, theirs.family), theirs)
        if stream and to.port == PORT and to.address in self._resolvers:
            return self._outward(stopped, to, raw, theirs)
        verdict = permits(to.address, to.port, self._egress)
        if not verdict.allowed and not to.is_inside:
            self._traffic.deny(to.address, to.port, verdict.rule)
            raise OSError(errno.EACCES, verdict.rule)
        return self._outward(stopped, to, raw, theirs) if stream and verdict.allowed else _Attempt(stopped, theirs, raw)

    def _resolver_for(self, family: int) -> str:
        """A resolver that a socket of this family can reach."""
        fitting = [each for each in self._resolvers if family == socket.AF_INET6 or ":" not in each]
        if not fitting:
            raise OSError(errno.ENETUNREACH, "no resolver for this family")
        return fitting[0]

    def _outward(self, stopped: Stopped, to: Inet, address: bytes, theirs: socket.socket) -> _Attempt:
        if is_connected(theirs):
            raise OSError(errno.EISCONN, "connected already")
        if len(self._attempts) >= _MOST_AT_ONCE:
            raise OSError(errno.EAGAIN, "too many connections are being made")
        return _Attempt(stopped, like(theirs), address, to)

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
        if attempt.to and not error:
            error = self._put_in(attempt, attempt.to)
        attempt.close()
        self._listener.answer(attempt.stopped, error)

    def _put_in(self, attempt: _Attempt, to: Inet) -> int:
        try:
            closes = caller.closes_on_exec(attempt.stopped)
        except OSError:
            return errno.EBADF
        if self._listener.replace(attempt.stopped, attempt.socket.fileno(), closes_on_exec=closes):
            self._traffic.reach(to.address, to.port)
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
