"""A thread for what a hostile task can make wait: it shares the flags of its own sockets with us, and may change them
between our look and our call. All that it holds up is itself.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TypeAlias

log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[], None]


class Aside:
    """Does one thing after the other, in a thread that there is only once there was something to do."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, work: Work) -> None:
        """Have it done, some time. OSError: there is no thread to be had."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="egress broker, inside", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                raise BlockingIOError("no thread") from error
            self._thread = thread
        self._waiting.put(work)

    def _run(self) -> None:
        while work := self._waiting.get():
            try:
                work()
            except Exception:  # the next one is another connection
                log.exception("sandbox.connection_failed")

    def close(self) -> None:
        """Let the thread end once it has nothing more to do; nobody waits for it."""
        if self._thread:
            self._waiting.put(None)
