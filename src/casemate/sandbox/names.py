"""How names resolve where there is no network: a stub inside, whose sockets the worker holds, asks our resolvers.

Every question is judged before it goes anywhere: to ask is to tell whoever owns the name. What goes out is made anew
from what is asked, and what comes back opens addresses for this sandbox (`pins`). No datagram socket of the worker's
network is ever put into a task, because the task could send with it to anyone.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from casemate.sandbox import dns
from casemate.sandbox.asking import Asking
from casemate.sandbox.egress import is_denied, may_look_up
from casemate.sandbox.framed import Framed
from casemate.sandbox.model import Egress
from casemate.sandbox.pins import Pins
from casemate.sandbox.polling import Polling
from casemate.sandbox.report import Traffic
from casemate.sandbox.stub import PORT

_MOST_QUESTIONS = 128
_MOST_PEERS = 16
_AT_ONCE = 8
_IDLE = 10.0

Reply: TypeAlias = Callable[[bytes], None]


class Relay:
    """Carries questions from the stub to the resolvers, and answers back; `pins` learns what was answered.

    Owns the stub's sockets, for datagrams and for streams.
    """

    def __init__(
        self,
        datagrams: socket.socket,
        streams: socket.socket,
        resolvers: tuple[str, ...],
        polling: Polling,
        egress: Egress,
        pins: Pins,
        traffic: Traffic,
    ) -> None:
        self._datagrams = datagrams
        self._streams = streams
        self._resolvers = resolvers
        self._polling = polling
        self._egress = egress
        self._pins = pins
        self._traffic = traffic
        self._asking: set[Asking] = set()
        self._peers: set[_Peer] = set()

    def start(self) -> None:
        """Begin to listen."""
        for stub, ready in ((self._datagrams, self._hear), (self._streams, self._accept)):
            stub.setblocking(False)
            self._polling.watch(stub.fileno(), select.POLLIN, ready)

    def _hear(self, _: int) -> None:
        for _ in range(_AT_ONCE):
            try:
                message, asker = self._datagrams.recvfrom(dns.LARGEST)
            except BlockingIOError:
                return
            except OSError:  # the echo of an answer that its asker did not wait for
                continue
            self._take(message, partial(self._send, asker), streamed=False)

    def _send(self, asker: tuple[str, int], message: bytes) -> None:
        with contextlib.suppress(OSError):  # the asker is gone: as on any network, the answer is lost
            self._datagrams.sendto(message, asker)

    def _accept(self, _: int) -> None:
        try:
            stream, _ = self._streams.accept()
        except OSError:
            return
        if len(self._peers) >= _MOST_PEERS:
            stream.close()
            return
        stream.setblocking(False)
        self._peers.add(_Peer(stream, self._polling, partial(self._take, streamed=True), self._peers.discard))

    def _take(self, message: bytes, reply: Reply, *, streamed: bool) -> None:
        try:
            wanted = dns.question(message)
        except dns.Malformed:
            if complaint := dns.not_understood(message):
                reply(complaint)
            return
        verdict = may_look_up(wanted.host, self._egress)
        if not verdict.allowed:
            self._traffic.deny("", PORT, verdict.rule, wanted.host)
            reply(dns.failure(wanted, dns.NO_SUCH_NAME))
        elif len(self._asking) >= _MOST_QUESTIONS:
            reply(dns.failure(wanted, dns.SERVER_FAILURE))
        else:
            self._ask(wanted, reply, streamed=streamed)

    def _ask(self, wanted: dns.Question, reply: Reply, *, streamed: bool) -> None:
        def settled(message: bytes | None) -> None:
            self._asking.discard(asking)
            reply(self._answer(wanted, message))

        asking = Asking(wanted, self._resolvers, self._polling, settled, self._note, streamed=streamed)
        self._asking.add(asking)
        asking.start()

    def _note(self, resolver: str) -> None:
        self._traffic.reach(resolver, PORT, "resolver of the worker")

    def _answer(self, wanted: dns.Question, message: bytes | None) -> bytes:
        """What the asker is told; before, its addresses are noted."""
        try:
            answer = dns.answer(message) if message else None
        except dns.Malformed:
            answer = None
        if message is None or answer is None:
            return dns.failure(wanted, dns.SERVER_FAILURE)
        if denied := next((alias for alias in answer.aliases if is_denied(alias, self._egress)), None):
            self._traffic.deny("", PORT, f"{wanted.host} is an alias for a denied name", denied)
            return dns.failure(wanted, dns.NO_SUCH_NAME)
        self._pins.remember(wanted.host, answer.addresses, time.monotonic())
        return dns.renumbered(message, wanted)

    def close(self) -> None:
        """Drop every question."""
        for asking in tuple(self._asking):
            asking.close()
        for peer in tuple(self._peers):
            peer.close()
        for stub in (self._datagrams, self._streams):
            self._polling.forget(stub.fileno())
            stub.close()


class _Peer:
    """A task's stream to the stub: its questions come and their answers go in any order."""

    def __init__(
        self,
        stream: socket.socket,
        polling: Polling,
        take: Callable[[bytes, Reply], None],
        gone: Callable[[_Peer], None],
    ) -> None:
        self._framed = Framed(stream)
        self._descriptor = stream.fileno()
        self._polling = polling
        self._take = take
        self._gone = gone
        self._closed = False
        self._watch()

    def _watch(self) -> None:
        self._polling.watch(self._descriptor, self._framed.events, self._ready, seconds=_IDLE, late=self.close)

    def _ready(self, _: int) -> None:
        try:
            for message in self._framed.received():
                self._take(message, self._reply)
        except (OSError, EOFError):
            self.close()
            return
        self._flush()

    def _reply(self, message: bytes) -> None:
        if self._closed:  # it did not wait for its answer
            return
        try:
            self._framed.keep(message)
        except OSError:
            self.close()
            return
        self._flush()

    def _flush(self) -> None:
        if self._closed:
            return
        try:
            self._framed.flush()
        except OSError:
            self.close()
            return
        self._watch()

    def close(self) -> None:
        """Hang up."""
        if not self._closed:
            self._closed = True
            self._polling.forget(self._descriptor)
            self._framed.close()
            self._gone(self)
