"""One question on its way to our resolvers, one after the other until one answers."""

from __future__ import annotations

import errno
import secrets
import select
import socket
from collections.abc import Callable
from typing import TypeAlias

from casemate.sandbox import dns, stub
from casemate.sandbox.framed import Framed
from casemate.sandbox.polling import Polling

_PATIENCE = 5.0
"""Seconds that one resolver has."""

Settled: TypeAlias = Callable[[bytes | None], None]
Noted: TypeAlias = Callable[[str], None]


class Asking:
    """Asks from `start` on until `settled` was called, once: with an answer, or None if no resolver has one.

    Over streams if the asker came over one, and otherwise by datagrams. Number and port of a question are ours and
    random: who cannot read along cannot answer in a resolver's place. `noted` hears of every resolver that was asked.
    """

    def __init__(
        self,
        wanted: dns.Question,
        resolvers: tuple[str, ...],
        polling: Polling,
        settled: Settled,
        noted: Noted,
        *,
        streamed: bool,
    ) -> None:
        self._wanted = wanted
        self._left = list(resolvers)
        self._polling = polling
        self._settled = settled
        self._noted = noted
        self._kind = socket.SOCK_STREAM if streamed else socket.SOCK_DGRAM
        self._number = secrets.randbits(16)
        self._framed: Framed | None = None

    def start(self) -> None:
        """Ask the first resolver, or the next one after those that did not answer."""
        self.close()
        while self._left:
            try:
                self._ask(self._left.pop(0))
            except OSError:
                self.close()
            else:
                return
        self._settled(None)

    def _ask(self, resolver: str) -> None:
        family = socket.AF_INET6 if ":" in resolver else socket.AF_INET
        self._framed = Framed(socket.socket(family, self._kind | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK))
        error = self._framed.stream.connect_ex((resolver, stub.PORT))
        if error not in (0, errno.EINPROGRESS):
            raise OSError(error, "resolver")
        message = dns.asked(self._wanted, self._number)
        if self._kind == socket.SOCK_DGRAM:
            self._framed.stream.send(message)
        else:
            self._framed.keep(message)
        self._noted(resolver)
        self._watch(self._framed)

    def _watch(self, framed: Framed) -> None:
        self._polling.watch(framed.stream.fileno(), framed.events, self._heard, seconds=_PATIENCE, late=self.start)

    def _heard(self, events: int) -> None:
        framed = self._framed
        if framed is None:
            return
        try:
            if self._kind == socket.SOCK_STREAM and events & select.POLLOUT:
                framed.flush()
            messages = self._messages(framed)
        except (OSError, EOFError):
            self.start()
            return
        answers = [message for message in messages if dns.answers(message, self._wanted, self._number)]
        if answers:
            self.close()
            self._settled(answers[0])
        elif self._kind == socket.SOCK_STREAM:
            self._watch(framed)

    def _messages(self, framed: Framed) -> tuple[bytes, ...]:
        if self._kind == socket.SOCK_STREAM:
            return framed.received()
        try:
            return (framed.stream.recv(dns.LARGEST),)
        except BlockingIOError:
            return ()

    def close(self) -> None:
        """Ask no more; whoever waits hears nothing."""
        if self._framed:
            self._polling.forget(self._framed.stream.fileno())
            self._framed.close()
            self._framed = None
