"""The egress broker: a task in an empty network namespace asks to connect; the worker does it, if `egress` permits.

Every connect(2) of the task stops at a filter and comes here. What goes out is connected by us, in the worker's own
network, to an address we copied, and the connected socket takes the place of the task's. What stays inside (loopback,
unix sockets) is done by us on the task's own socket. Three rules keep this safe from a task that changes its memory and
its descriptors while we look:

- no call is ever continued by the kernel, so nobody looks a second time;
- only connected streams go in: such a socket takes no other peer, as connect(2) is ours and fast open is filtered;
- a socket of the worker's network that comes back is left alone, because another connect would free it of its peer;
  nor can it be bound once that is gone: bind(2) of streams is ours, too.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TypeAlias

from casemate.sandbox import caller, stub
from casemate.sandbox.addresses import Inet, Nobody, Unix, packed, packed_path, parsed
from casemate.sandbox.attempts import Attempt, Inside, Outward
from casemate.sandbox.connecting import blocks, bound, is_connected, like
from casemate.sandbox.egress import permits, rules_of
from casemate.sandbox.making import Making
from casemate.sandbox.model import Egress, Proxy
from casemate.sandbox.names import Relay
from casemate.sandbox.notification import Listener, Stopped, is_over
from casemate.sandbox.pins import Pins
from casemate.sandbox.polling import Polling
from casemate.sandbox.recording import Touched
from casemate.sandbox.report import Traffic
from casemate.sandbox.tunnel import request
from casemate.sandbox.turns import Turns
from casemate.sandbox.upstream import Upstream

Descriptors: TypeAlias = tuple[int, int, int]
"""The listener, and the stub's sockets for datagrams and for streams."""
PATIENCE = timedelta(seconds=10)
"""How long a connection may take to be made. Its thread waits that long even if its socket does not block."""
_STUB = Inet(stub.ADDRESS, stub.PORT)


class Outside:
    """What the brokers of one worker share: a thread, and the way out of the worker's own network."""

    def __init__(
        self, resolvers: tuple[str, ...], proxy: Proxy | None = None, *, patience: timedelta = PATIENCE
    ) -> None:
        """`resolvers` are asked for the names that tasks look up; every connection goes through the `proxy`."""
        self.turns = Turns()
        self.resolvers = resolvers
        self.upstream = Upstream(proxy) if proxy else None
        self.patience = patience.total_seconds()

    @cached_property
    def network(self) -> int:
        """The number of our own network. OSError: the kernel is older than 5.14."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as ours:
            return caller.network_of(ours)

    async def open(self) -> None:
        """Find the proxy, now and again from now on."""
        if self.upstream:
            await self.upstream.open()

    def close(self) -> None:
        """End the thread, after all brokers, and look for the proxy no more."""
        if self.upstream:
            self.upstream.close()
        self.turns.close()


class Broker:
    """Serves one sandbox from `start` to `close`. Owns its descriptors."""

    def __init__(
        self, descriptors: Descriptors, egress: Egress, outside: Outside, touched: Touched | None = None
    ) -> None:
        """`touched` hears of all calls but connect(2). What fails leaves the descriptors as they are.

        ValueError: an entry of `egress` is none. OSError: the kernel is older than 5.14. RuntimeError: no thread.
        """
        rules_of(egress)
        outside.turns.start()
        self._network = outside.network
        self._egress = egress
        self._outside = outside
        self._touched = touched
        self._traffic = Traffic()
        self._pins = Pins()
        self._polling = Polling()
        listener, *stubs = descriptors
        datagrams, streams = (socket.socket(fileno=descriptor) for descriptor in stubs)
        self._listener = Listener(listener)
        self._relay = Relay(datagrams, streams, outside.resolvers, self._polling, egress, self._pins, self._traffic)
        self._making = Making(self._listener, self._polling, self._traffic, outside.patience)
        self._closed = False

    def start(self) -> None:
        """Begin to answer."""
        self._polling.watch(self._listener.descriptor, select.POLLIN, self._heard)
        self._relay.start()
        self._outside.turns.join(self._polling, self.close)

    def close(self) -> None:
        """Answer no more, break off what is being made, give all descriptors back. It may be called again."""
        with self._polling.lock:
            if self._closed:
                return
            self._closed = True
            self._outside.turns.leave(self._polling)
            self._give_back()
            self._polling.close()

    def destinations(self) -> Traffic:
        """Where the task connected to, and where it was not let; complete once closed."""
        return self._traffic

    def _give_back(self) -> None:
        self._listener.close()
        self._making.close()
        self._relay.close()

    def _heard(self, events: int) -> None:
        if is_over(events):
            self._polling.forget(self._listener.descriptor)
        elif stopped := self._listener.receive():
            if self._touched is not None and not (stopped.connects or stopped.binds):
                self._touched.note(stopped)
                self._listener.go_on(stopped)
                return
            try:
                self._bind(stopped) if stopped.binds else self._decide(stopped)
            except OSError as error:
                self._listener.answer(stopped, error.errno or errno.EACCES)

    def _bind(self, stopped: Stopped) -> None:
        """Give a stream of the task's own network its address; the kernel binds the rest, and no stream for a task."""
        with caller.taken_socket(stopped) as theirs:
            if theirs.type != socket.SOCK_STREAM or theirs.family not in (socket.AF_INET, socket.AF_INET6):
                self._listener.go_on(stopped)
                return
            raw = caller.address_bytes(stopped)
            if caller.network_of(theirs) == self._network:
                raise OSError(errno.EINVAL, "bound already")
            if self._listener.waits(stopped):
                self._listener.answer(stopped, bound(theirs, raw))

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
        self._making.begin(attempt)

    def _attempt(self, stopped: Stopped, raw: bytes, theirs: socket.socket) -> Attempt:
        """What is to be done, and on which socket. OSError: the errno to answer with instead."""
        if caller.network_of(theirs) == self._network:
            raise OSError(errno.EISCONN, "connected already")
        match parsed(raw):
            case Inet() as to if theirs.family in (socket.AF_INET, socket.AF_INET6):
                return self._to_inet(stopped, to, raw, theirs)
            case Unix() as to if theirs.family == socket.AF_UNIX:
                return _inside(stopped, raw, theirs) if to.is_abstract else _to_path(stopped, to, theirs)
            case Nobody():
                return Inside(stopped=stopped, socket=theirs, address=raw, waits=False)
        raise OSError(errno.EAFNOSUPPORT, "family of address")

    def _to_inet(self, stopped: Stopped, to: Inet, raw: bytes, theirs: socket.socket) -> Attempt:
        """Streams go out if permitted. The rest stays in the empty network, where only loopback answers."""
        if to == _STUB:
            return _inside(stopped, raw, theirs)
        names = self._pins.names_of(to.address, time.monotonic())
        verdict = permits(to.address, to.port, self._egress, names)
        host = verdict.host or next(iter(names), "")
        if not verdict.allowed and not to.is_inside:
            self._traffic.deny(to.address, to.port, verdict.rule, host)
            raise OSError(errno.EACCES, verdict.rule)
        if theirs.type != socket.SOCK_STREAM or not verdict.allowed:
            return _inside(stopped, raw, theirs)
        if is_connected(theirs):
            raise OSError(errno.EISCONN, "connected already")
        return self._outward(
            Outward(
                stopped=stopped, socket=theirs, address=raw, to=to, verdict=verdict, host=host, blocks=blocks(theirs)
            )
        )

    def _outward(self, wish: Outward) -> Outward:
        """The same on a socket of ours, and through the proxy if there is one."""
        family = wish.socket.family
        if (upstream := self._outside.upstream) is None:
            return replace(wish, socket=like(wish.socket, family))
        try:
            address = upstream.address()
        except OSError as error:
            self._traffic.deny(wish.to.address, wish.to.port, f"{error.strerror}", wish.host)
            raise
        family = socket.AF_INET6 if ":" in address else family
        return replace(
            wish,
            socket=like(wish.socket, family),
            address=packed(address, upstream.proxy.port, family),
            request=request(wish.to, wish.verdict.host, upstream.proxy),
        )


def _inside(stopped: Stopped, raw: bytes, theirs: socket.socket) -> Inside:
    return Inside(stopped=stopped, socket=theirs, address=raw, waits=theirs.type != socket.SOCK_DGRAM)


def _to_path(stopped: Stopped, to: Unix, theirs: socket.socket) -> Inside:
    """A socket in the file tree, as the task sees the tree."""
    place = caller.found_socket(stopped, to.name)
    try:
        # The connection is made with our rights: only what the task's own user made is sure to be open to the task.
        if os.fstat(place).st_uid != caller.user_of(stopped):
            raise OSError(errno.EACCES, "socket of another user")
    except OSError:
        os.close(place)
        raise
    return replace(_inside(stopped, packed_path(f"/proc/self/fd/{place}".encode()), theirs), place=place)
