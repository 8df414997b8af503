"""One thread for the brokers of all sandboxes of a worker: each gets a turn when it has something to do."""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from casemate.sandbox.polling import Polling

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Member:
    polling: Polling
    fail: Callable[[], None]


class Turns:
    """Gives turns from `start` to `close`. Every method may be called by any thread."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._waker = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._waker, select.EPOLLIN)
        self._members: dict[int, _Member] = {}
        self._stopped = False
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Have a thread, if there is none that lives. RuntimeError: there is none to be had."""
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="egress brokers", daemon=True)
                thread.start()
                self._thread = thread

    def join(self, polling: Polling, fail: Callable[[], None]) -> None:
        """Give it turns; `fail` is called if one of them breaks, and is to make it leave."""
        self._members[polling.fileno()] = _Member(polling, fail)
        self._epoll.register(polling.fileno(), select.EPOLLIN)

    def leave(self, polling: Polling) -> None:
        """Give it no more turns but the one that it may have just now."""
        if self._members.pop(polling.fileno(), None):
            self._epoll.unregister(polling.fileno())

    def _run(self) -> None:
        try:
            self._give_turns()
        finally:
            if not self._stopped:  # this thread breaks: whoever waits for an answer must not wait for ever
                for member in tuple(self._members.values()):
                    member.fail()

    def _give_turns(self) -> None:
        while not self._stopped:
            for descriptor, _ in self._epoll.poll(self._patience()):
                if member := self._members.get(descriptor):
                    self._give(member)
            now = time.monotonic()
            for member in tuple(self._members.values()):
                if member.polling.nearest <= now:
                    self._give(member)

    def _patience(self) -> float | None:
        nearest = min((member.polling.nearest for member in tuple(self._members.values())), default=float("inf"))
        return None if nearest == float("inf") else max(0.0, nearest - time.monotonic())

    def _give(self, member: _Member) -> None:
        try:
            member.polling.turn()
        except Exception:  # whatever one sandbox has found to break, the others go on
            log.exception("sandbox.broker_failed")
            self.leave(member.polling)
            member.fail()

    def close(self) -> None:
        """End the thread; brokers that are still there hear of nothing any more."""
        self._stopped = True
        os.eventfd_write(self._waker, 1)
        if self._thread:
            self._thread.join()
        self._epoll.close()
        os.close(self._waker)
