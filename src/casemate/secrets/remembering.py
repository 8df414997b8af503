"""A store whose secrets are remembered for a while, in memory only (spec/security 2.7)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import Final

import structlog

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import Address, Backend, Entry, Found
from casemate.settings import SecretCache

log = structlog.get_logger()

ABSENT: Final = 5.0
"""Seconds at most that a secret is remembered not to exist: whoever adds it wants to use it."""


@dataclass(frozen=True, slots=True)
class Counters:
    """How reads were answered: from memory, by the store, by a read of the same that was under way; what was evicted.

    `hits + misses + shared` is the number of all reads that did not fail before they asked.
    """

    hits: int = 0
    misses: int = 0
    shared: int = 0
    evicted: int = 0


class Remembering:
    """A backend around another. Lifetimes count from the read, not from the last use; failures are not remembered."""

    def __init__(self, backend: Backend, rules: SecretCache, clock: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._size = rules.size
        self._lifetime = rules.lifetime.total_seconds()
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[Address, tuple[float, Found | None]] = OrderedDict()
        self._flights: dict[Address, Future[Found | None]] = {}
        self._counters = Counters()

    @property
    def counters(self) -> Counters:
        """So far."""
        return self._counters

    def read(self, address: Address) -> Found | None:
        """See `Backend`; while a read of the same is under way, its answer is waited for."""
        with self._lock:
            kept = self._kept.get(address)
            if kept is not None and kept[0] > self._clock():
                self._kept.move_to_end(address)
                self._counters = replace(self._counters, hits=self._counters.hits + 1)
                return kept[1]
            flight = self._flights.get(address)
            if flight is None:
                own = self._flights[address] = Future()
                self._counters = replace(self._counters, misses=self._counters.misses + 1)
            else:
                self._counters = replace(self._counters, shared=self._counters.shared + 1)
        return self._fetched(address, own) if flight is None else flight.result()

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """See `Backend`; lists are not remembered."""
        return self._backend.entries(tenant, namespace)

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Backend`; what was remembered is forgotten."""
        with self._forgetting(entry.address):
            self._backend.write(entry, value)

    def delete(self, address: Address) -> bool:
        """See `Backend`; what was remembered is forgotten."""
        with self._forgetting(address):
            return self._backend.delete(address)

    def close(self) -> None:
        """See `Backend`; how the memory did is told in the log."""
        with self._lock:
            self._kept.clear()
        log.info("secret_cache.closed", **asdict(self._counters))
        self._backend.close()

    def _fetched(self, address: Address, flight: Future[Found | None]) -> Found | None:
        try:
            found = self._backend.read(address)
        except BaseException as error:
            with self._lock:
                self._landed(address, flight)
            flight.set_exception(error)
            raise
        with self._lock:
            if self._landed(address, flight):
                self._keep(address, found)
        flight.set_result(found)
        return found

    def _landed(self, address: Address, flight: Future[Found | None]) -> bool:
        """False if the secret was changed meanwhile: then nobody knows whether the old value was read."""
        if self._flights.get(address) is not flight:
            return False
        del self._flights[address]
        return True

    def _keep(self, address: Address, found: Found | None) -> None:
        lifetime = self._lifetime if found is not None else min(self._lifetime, ABSENT)
        self._kept[address] = (self._clock() + lifetime, found)
        self._kept.move_to_end(address)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
            self._counters = replace(self._counters, evicted=self._counters.evicted + 1)

    @contextmanager
    def _forgetting(self, address: Address) -> Iterator[None]:
        try:
            yield
        finally:
            # Also after a failure: nobody knows what it has changed.
            with self._lock:
                self._kept.pop(address, None)
                self._flights.pop(address, None)
