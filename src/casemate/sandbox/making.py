"""Making connections for one sandbox without waiting for any: from what was decided to the answer of the call."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from casemate.sandbox import caller, tunnel
from casemate.sandbox.aside import Aside
from casemate.sandbox.attempts import Attempt, Inside, Outward
from casemate.sandbox.connecting import UNDER_WAY, attempted, blocks, connected
from casemate.sandbox.notification import Listener
from casemate.sandbox.polling import Polling
from casemate.sandbox.report import Traffic

_MOST_AT_ONCE = 64

_Kind = TypeVar("_Kind", Outward, Inside)


class Making:
    """Connections under way. All is called with the lock of `polling` held, and keeps it."""

    def __init__(self, listener: Listener, polling: Polling, traffic: Traffic, patience: float) -> None:
        """`patience` is how many seconds one connection may take, with all that a proxy says."""
        self._listener = listener
        self._polling = polling
        self._traffic = traffic
        self._patience = patience
        self._aside = Aside()
        self._under_way: dict[int, Attempt] = {}
        self._handed_over: set[int] = set()
        """Those that the other thread holds: only it may close their descriptors."""
        self._closed = False

    def begin(self, attempt: Attempt) -> None:
        """Make it, or begin to; it is closed when its caller has an answer. OSError: EAGAIN, there are too many."""
        if len(self._under_way) >= _MOST_AT_ONCE:
            attempt.close()
            raise BlockingIOError(errno.EAGAIN, "too many connections are being made")
        # All that was read of the caller was read of its thread id: only now is it sure that it still was the caller's.
        if not self._listener.waits(attempt.stopped):
            attempt.close()
            return
        deadline = time.monotonic() + self._patience
        self._under_way[attempt.stopped.id] = attempt
        match attempt:
            case Outward():
                self._connect(attempt, deadline)
            case Inside(waits=True):
                self._hand_over(attempt, deadline)
            case Inside():
                self._finish(attempt, attempted(attempt.socket, attempt.address))

    def _connect(self, attempt: Outward, deadline: float) -> None:
        error = connected(attempt.socket, attempt.address)
        if error in UNDER_WAY:
            self._wait(attempt, select.POLLOUT, deadline, self._connect)
        elif attempt.request:
            self._ask_proxy(attempt, deadline, error)
        else:
            self._finish(attempt, error or self._put_in(attempt))

    def _hand_over(self, attempt: Inside, deadline: float) -> None:
        try:
            self._aside.do(partial(self._connect_aside, attempt, deadline))
        except OSError as error:
            self._finish(attempt, error.errno or errno.EAGAIN)
        else:
            self._handed_over.add(attempt.stopped.id)

    def _connect_aside(self, attempt: Inside, deadline: float) -> None:
        """In a thread of its own: while it calls, the others go on."""
        error = errno.ECONNABORTED if self._closed else attempted(attempt.socket, attempt.address)
        with self._polling.lock:
            self._handed_over.discard(attempt.stopped.id)
            if self._closed:
                attempt.close()
            elif error in UNDER_WAY and blocks(attempt.socket):
                self._wait(attempt, select.POLLOUT, deadline, self._hand_over)
            else:
                self._finish(attempt, error)

    def _ask_proxy(self, attempt: Outward, deadline: float, error: int) -> None:
        if not error:
            try:
                error = 0 if attempt.socket.send(attempt.request) == len(attempt.request) else errno.EMSGSIZE
            except OSError as failed:
                error = failed.errno or errno.EIO
        if error:
            self._refused(attempt, errno.EHOSTUNREACH, "the proxy cannot be reached")
        else:
            self._hear_proxy(b"", attempt, deadline)

    def _hear_proxy(self, heard: bytes, attempt: Outward, deadline: float) -> None:
        """Take the proxy's words off the stream, and not a byte more: what follows is the peer's."""
        try:
            seen = attempt.socket.recv(tunnel.LONGEST_ANSWER - len(heard), socket.MSG_PEEK)
            end = tunnel.answer_ends(heard + seen)
            answer = heard + attempt.socket.recv((len(heard + seen) if end is None else end) - len(heard))
        except BlockingIOError:
            self._wait(attempt, select.POLLIN, deadline, partial(self._hear_proxy, heard))
            return
        except (OSError, tunnel.Unintelligible):
            self._refused(attempt, errno.ECONNREFUSED, "the proxy's answer is none")
            return
        if end is not None:
            self._answered(attempt, answer)
        elif not seen:
            self._refused(attempt, errno.ECONNREFUSED, "the proxy hung up")
        else:
            self._wait(attempt, select.POLLIN, deadline, partial(self._hear_proxy, answer))

    def _answered(self, attempt: Outward, answer: bytes) -> None:
        try:
            code = tunnel.status(answer)
        except tunnel.Unintelligible:
            self._refused(attempt, errno.ECONNREFUSED, "the proxy's answer is none")
            return
        if error := tunnel.error_of(code):
            self._refused(attempt, error, f"the proxy answered {code}")
        else:
            self._finish(attempt, self._put_in(attempt))

    def _refused(self, attempt: Outward, error: int, why: str) -> None:
        self._traffic.deny(attempt.to.address, attempt.to.port, why, attempt.host)
        self._finish(attempt, error)

    def _wait(self, attempt: _Kind, events: int, deadline: float, go_on: Callable[[_Kind, float], None]) -> None:
        descriptor = attempt.socket.fileno()

        def ready(_: int) -> None:
            self._polling.forget(descriptor)
            go_on(attempt, deadline)

        seconds = max(0.0, deadline - time.monotonic())
        self._polling.watch(descriptor, events, ready, seconds=seconds, late=partial(self._late, attempt))

    def _late(self, attempt: Attempt) -> None:
        if isinstance(attempt, Outward) and attempt.request:
            self._refused(attempt, errno.EHOSTUNREACH, "the proxy did not answer in time")
        else:
            self._finish(attempt, errno.ETIMEDOUT)

    def _finish(self, attempt: Attempt, error: int) -> None:
        del self._under_way[attempt.stopped.id]
        attempt.close()
        self._listener.answer(attempt.stopped, error)

    def _put_in(self, attempt: Outward) -> int:
        try:
            closes = caller.closes_on_exec(attempt.stopped)
        except OSError:
            return errno.EBADF
        attempt.socket.setblocking(attempt.blocks)
        if self._listener.replace(attempt.stopped, attempt.socket.fileno(), closes_on_exec=closes):
            self._traffic.reach(attempt.to.address, attempt.to.port, attempt.verdict.rule, attempt.host)
        return 0

    def close(self) -> None:
        """Break off all of them."""
        self._closed = True
        self._aside.close()
        for attempt in self._under_way.values():
            if attempt.stopped.id in self._handed_over:
                with suppress(OSError):  # whoever waits in it wakes
                    attempt.socket.shutdown(socket.SHUT_RDWR)
            else:
                attempt.close()
