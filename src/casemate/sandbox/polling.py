"""One thread that waits for many descriptors, each with a deadline: the broker's loop. Nothing it calls may block."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Ready: TypeAlias = Callable[[int], None]
"""Is called with the events of poll(2)."""


@dataclass(frozen=True, slots=True)
class _Watched:
    ready: Ready
    deadline: float
    late: Callable[[], None]


def _never() -> None:
    """What happens to a descriptor that has no deadline."""


class Polling:
    """Descriptors and what to do about them. Any thread may call `stop`; all else is for the loop's own."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._watched: dict[int, _Watched] = {}
        self._waker = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._stopped = False
        self._poll.register(self._waker, select.POLLIN)

    def watch(
        self,
        descriptor: int,
        events: int,
        ready: Ready,
        *,
        seconds: float | None = None,
        late: Callable[[], None] = _never,
    ) -> None:
        """Call `ready` whenever something happens to a descriptor, and `late`, once, when its time is over."""
        deadline = float("inf") if seconds is None else time.monotonic() + seconds
        self._watched[descriptor] = _Watched(ready, deadline, late)
        self._poll.register(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Watch a descriptor no longer; before it is closed."""
        if self._watched.pop(descriptor, None):
            self._poll.unregister(descriptor)

    def run(self) -> None:
        """Wait and call until stopped."""
        while not self._stopped:
            for descriptor, events in self._poll.poll(self._patience()):
                # an earlier call of this round may have forgotten it, or even given its number to another
                if (watched := self._watched.get(descriptor)) and not self._stopped:
                    watched.ready(events)
            self._expire()

    def _patience(self) -> int | None:
        nearest = min((watched.deadline for watched in self._watched.values()), default=float("inf"))
        return None if nearest == float("inf") else max(0, int((nearest - time.monotonic()) * 1000) + 1)

    def _expire(self) -> None:
        now = time.monotonic()
        for descriptor, watched in tuple(self._watched.items()):
            if watched.deadline <= now:
                self.forget(descriptor)
                watched.late()

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stopped = True
        os.eventfd_write(self._waker, 1)

    def close(self) -> None:
        """Give the waker back, after `run` has returned."""
        os.close(self._waker)
