"""The descriptors of one broker, each with a deadline. Nothing it calls may block, and no turn does much."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Ready: TypeAlias = Callable[[int], None]
"""Is called with the events of poll(2)."""

_NEVER = float("inf")
_MOST_A_TURN = 8
"""What one sandbox asks for must not hold up the others, who share the thread."""


@dataclass(frozen=True, slots=True)
class _Watched:
    ready: Ready
    deadline: float
    late: Callable[[], None]


def _nothing() -> None:
    """What happens to a descriptor that has no deadline."""


class Polling:
    """Descriptors and what to do about them. Whoever holds `lock` is alone with them, and with what they serve."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, _Watched] = {}
        self._closed = False
        self.lock = threading.Lock()
        self.nearest = _NEVER
        """When a turn is due even if nothing happens; perhaps too early, never too late."""

    def fileno(self) -> int:
        """A descriptor that is ready to be read when there is something for a turn to do."""
        return self._epoll.fileno()

    def watch(
        self,
        descriptor: int,
        events: int,
        ready: Ready,
        *,
        seconds: float | None = None,
        late: Callable[[], None] = _nothing,
    ) -> None:
        """Call `ready` whenever something happens to a descriptor, and `late`, once, when its time is over."""
        deadline = _NEVER if seconds is None else time.monotonic() + seconds
        change = self._epoll.modify if descriptor in self._watched else self._epoll.register
        change(descriptor, events)
        self._watched[descriptor] = _Watched(ready, deadline, late)
        self.nearest = min(self.nearest, deadline)

    def forget(self, descriptor: int) -> None:
        """Watch a descriptor no longer; before it is closed."""
        if self._watched.pop(descriptor, None):
            self._epoll.unregister(descriptor)

    def turn(self) -> None:
        """Call what is ready, though not too much of it at once, and what is late."""
        with self.lock:
            if self._closed:
                return
            for descriptor, events in self._epoll.poll(0, _MOST_A_TURN):
                # an earlier call of this turn may have forgotten it
                if watched := self._watched.get(descriptor):
                    watched.ready(events)
            if self.nearest <= time.monotonic():
                self._expire()

    def _expire(self) -> None:
        now = time.monotonic()
        for descriptor, watched in tuple(self._watched.items()):
            if watched.deadline <= now and self._watched.get(descriptor) is watched:
                self.forget(descriptor)
                watched.late()
        self.nearest = min((watched.deadline for watched in self._watched.values()), default=_NEVER)

    def close(self) -> None:
        """No more turns; to be called with the lock held."""
        self._closed = True
        self._epoll.close()
