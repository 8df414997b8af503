"""What is written down of namespaces, remembered for a second: every secret that is looked for asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Final

from casemate.identifiers import Namespace, TenantId
from casemate.secrets.errors import BackendFailed
from casemate.store import Database, StoredNamespace, StoreUnavailable
from casemate.store import namespaces as rows

LIFETIME: Final = 1.0
"""Seconds after which a change that another process made holds here; one that was made here holds at once."""
_MOST: Final = 10_000
_AWAY: Final = "The database of namespaces does not answer."


class KnownRecords:
    """Rows of a database, by their names. Used by several threads at once."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._lock = Lock()
        self._changes = 0
        self._known: dict[tuple[TenantId, Namespace], tuple[float, StoredNamespace | None]] = {}

    def all_of(self, tenant: TenantId) -> Mapping[Namespace, StoredNamespace]:
        """All of a tenant, as they are now. Raises `BackendFailed`."""
        try:
            return self._database.read_now(rows.all_of, tenant)
        except StoreUnavailable as error:
            raise BackendFailed(_AWAY, passing=True) from error

    def some(self, tenant: TenantId, names: Iterable[Namespace]) -> Mapping[Namespace, StoredNamespace]:
        """Those of the named ones that there are. Raises `BackendFailed`."""
        wanted, now = tuple(names), self._clock()
        with self._lock:
            before = self._changes
            kept = [self._known.get((tenant, name), (now, None)) for name in wanted]
        if all(until > now for until, _ in kept):
            return {record.id: record for _, record in kept if record is not None}
        return self._read(tenant, wanted, now + LIFETIME, before)

    def forget(self) -> None:
        """Something was changed: what was read before is not kept, also if it comes only now."""
        with self._lock:
            self._changes += 1
            self._known.clear()

    def _read(
        self, tenant: TenantId, names: tuple[Namespace, ...], until: float, before: int
    ) -> Mapping[Namespace, StoredNamespace]:
        try:
            found = self._database.read_now(rows.some, tenant, names)
        except StoreUnavailable as error:
            raise BackendFailed(_AWAY, passing=True) from error
        with self._lock:
            if self._changes == before:
                if len(self._known) > _MOST:
                    self._known.clear()
                self._known.update({(tenant, name): (until, found.get(name)) for name in names})
        return found
