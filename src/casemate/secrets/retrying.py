"""A store that is asked again when a failure may pass, and left alone for a while when it does not answer at all.

A failure of one secret (it is being deleted, the server stumbles over it) does not count against the store: whoever can
bring one about would take their secrets from everybody else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Final, TypeVar

import structlog

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import Address, Backend, Entry, Found
from casemate.secrets.errors import BackendFailed
from casemate.settings import Retries

T = TypeVar("T")

log = structlog.get_logger()

PATIENCE: Final = 20.0
"""Seconds after which nothing is tried again: a task that waits for a secret gives up a little later."""
FAILURES: Final = 5
"""So many failed tries in a row, and the store is left alone."""
REST: Final = 15.0
"""Seconds for which it is; then one try decides whether it is asked again."""

_RESTING: Final = "The secret store did not answer several times, and is left alone for a few seconds."


@dataclass(slots=True)
class Breaker:
    """Whether a store may be asked. Used by several threads at once."""

    clock: Callable[[], float] = time.monotonic
    _failed: int = 0
    _until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def enter(self) -> None:
        """Before a try. Raises `BackendFailed` while the store rests, or somebody else tries whether it is back."""
        with self._lock:
            if self._failed < FAILURES:
                return
            if self.clock() < self._until:
                raise BackendFailed(_RESTING, passing=True)
            # This thread tries; should it never come back, the next one may after another rest.
            self._until = self.clock() + REST

    def succeeded(self) -> None:
        """It answered, be it with a refusal."""
        with self._lock:
            if self._failed >= FAILURES:
                log.info("secret_store.back")
            self._failed = 0

    def failed(self) -> None:
        """It did not."""
        with self._lock:
            self._failed += 1
            if self._failed >= FAILURES:
                self._until = self.clock() + REST
            # Whoever asked before it rested comes back with the same news: it is told once.
            if self._failed == FAILURES:
                log.error("secret_store.resting", seconds=REST)


class Retrying:
    """A backend around another: the same, with more patience. Failures that do not pass are not tried again."""

    def __init__(
        self,
        backend: Backend,
        retries: Retries,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._backend = backend
        self._retries = retries
        self._breaker = Breaker(clock)
        self._clock = clock
        self._closed = Event()
        self._sleep = sleep or self._closed.wait

    def read(self, address: Address) -> Found | None:
        """See `Backend`."""
        return self._tried(lambda: self._backend.read(address))

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """See `Backend`."""
        return self._tried(lambda: self._backend.entries(tenant, namespace))

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Backend`: writing twice is like writing once."""
        self._tried(lambda: self._backend.write(entry, value))

    def delete(self, address: Address) -> bool:
        """See `Backend`; what a lost answer has removed is, to the second try, not there."""
        return self._tried(lambda: self._backend.delete(address))

    def close(self) -> None:
        """See `Backend`; who waits for another try waits no longer."""
        self._closed.set()
        self._backend.close()

    def _tried(self, ask: Callable[[], T]) -> T:
        until, delay = self._clock() + PATIENCE, self._retries.delay.total_seconds()
        for attempt in range(1, self._retries.attempts + 1):
            self._breaker.enter()
            try:
                return self._once(ask)
            except BackendFailed as error:
                if not error.passing or attempt == self._retries.attempts or self._clock() + delay > until:
                    raise
                log.warning("secret_store.retried", attempt=attempt, reason=str(error))
                self._sleep(delay)
                if self._closed.is_set():
                    raise
            delay = self._longer(delay)
        raise AssertionError("there is one attempt at least")

    def _once(self, ask: Callable[[], T]) -> T:
        try:
            answer = ask()
        except BackendFailed as error:
            if error.passing and not error.of_one:
                self._breaker.failed()
            else:
                self._breaker.succeeded()
            raise
        self._breaker.succeeded()
        return answer

    def _longer(self, delay: float) -> float:
        grown = delay * self._retries.multiplier
        return grown if self._retries.max_delay is None else min(grown, self._retries.max_delay.total_seconds())
