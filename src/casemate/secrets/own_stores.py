"""The stores that namespaces bring for their secrets: opened when they are first needed, kept until they change.

Which one is meant is in rows: what is changed here holds at once, what another process changes within a second. A store
that cannot be opened fails those who need it, in words; nobody else's store is taken in its place (spec/security 2.10).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from casemate.identifiers import Namespace, TenantId
from casemate.keys import Keyring
from casemate.secrets import own_configuration
from casemate.secrets.backend import Backend
from casemate.secrets.backends.unusable import Unusable
from casemate.secrets.errors import BackendFailed, InvalidOptions, MissingExtra
from casemate.secrets.kinds import opened, options_of
from casemate.secrets.known_records import KnownRecords
from casemate.secrets.own_configuration import Kept
from casemate.secrets.own_options import faults
from casemate.settings import OwnStores as Openings
from casemate.store import Database, StoredNamespace

AT: Final = "secretConfiguration"


@dataclass(slots=True)
class _Open:
    """A store in use. It is closed by whoever is last, once it is `over`."""

    stamp: str
    backend: Backend
    users: int = 0
    over: bool = False


class OwnStores:
    """`around` puts patience and memory around each store; `openings` is what the operator opens to namespaces."""

    def __init__(
        self,
        database: Database,
        openings: Openings,
        keys: Keyring | None,
        around: Callable[[Backend], Backend],
        *,
        read_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._openings = openings
        self._keys = keys
        self._around = around
        self._read_only = read_only
        self._records = KnownRecords(database, clock)
        self._lock = Lock()
        self._open: dict[tuple[TenantId, Namespace], _Open] = {}

    def records(self, tenant: TenantId, names: Iterable[Namespace] | None) -> Mapping[Namespace, StoredNamespace]:
        """What is written down of the namespaces with these names, None: of all. Raises `BackendFailed`."""
        return self._records.all_of(tenant) if names is None else self._records.some(tenant, names)

    @contextmanager
    def lent(self, record: StoredNamespace) -> Iterator[Backend]:
        """The store that a namespace brings, for a while. Raises `BackendFailed` if it cannot be opened."""
        held = self._held(record)
        try:
            yield held.backend
        finally:
            self._back(held)

    def accepted(self, kind: str, given: Mapping[str, Any], before: StoredNamespace | None) -> Kept:
        """What is to be kept of the options of a store, found good and sealed; `before` is what the record was.

        Raises `InvalidOptions`, `MissingExtra`. Nothing is asked of the store.
        """
        options = own_configuration.unwrapped(kind, given)
        old: Mapping[str, Any] = {}
        if before is not None and before.secret_type == kind:
            old = own_configuration.unwrapped(kind, own_configuration.opened(before, self._keys))
        full = own_configuration.restored(options, old)
        form = self._checked(kind, full)
        whole = full if options is given else {next(iter(given)): full}
        return own_configuration.kept(whole, form, self._keys)

    def forget(self, tenant: TenantId, namespace: Namespace) -> None:
        """The record of a namespace was changed or removed: its store is closed when nobody uses it any more."""
        self._records.forget()
        self._end_of(tenant, namespace)

    def _end_of(self, tenant: TenantId, namespace: Namespace) -> None:
        with self._lock:
            held = self._open.pop((tenant, namespace), None)
        self._end(held)

    def close(self) -> None:
        """Let go of all stores."""
        with self._lock:
            all_held = list(self._open.values())
            self._open.clear()
        for held in all_held:
            self._end(held)

    def _checked(self, kind: str, options: Mapping[str, Any]) -> object:
        # What the operator does not open is not even looked at: to say of a file whether it is there tells something.
        if found := tuple(faults(kind, options, self._openings, AT)):
            raise InvalidOptions(found)
        form = options_of(kind, options, AT)
        probe = opened(kind, options, read_only=True, at=AT, database=self._database)
        probe.close()
        if isinstance(probe, Unusable):
            raise InvalidOptions((f"{AT}: {probe.reason}",))
        return form

    def _held(self, record: StoredNamespace) -> _Open:
        place = (record.tenant, record.id)
        with self._lock:
            held = self._open.get(place)
            if held is not None and held.stamp == record.stamp:
                held.users += 1
                return held
        self._end_of(*place)
        new = _Open(record.stamp, self._opened(record), users=1)
        with self._lock:
            # Another thread may have opened it meanwhile: it keeps its own as long as it needs it.
            held, self._open[place] = self._open.get(place), new
        self._end(held)
        return new

    def _opened(self, record: StoredNamespace) -> Backend:
        kind, read_only = record.secret_type or "", self._read_only or record.read_only
        try:
            options = own_configuration.unwrapped(kind, own_configuration.opened(record, self._keys))
            # Again: the operator may have closed since then what was open when it was saved.
            if found := tuple(faults(kind, options, self._openings, AT)):
                raise InvalidOptions(found)
            backend = opened(kind, options, read_only=read_only, at=AT, database=self._database)
        except (InvalidOptions, MissingExtra) as error:
            raise BackendFailed(f"The secret store of the namespace '{record.id}' cannot be used: {error}") from None
        return self._around(backend)

    def _back(self, held: _Open) -> None:
        with self._lock:
            held.users -= 1
            last = held.over and held.users == 0
        if last:
            held.backend.close()

    def _end(self, held: _Open | None) -> None:
        if held is None:
            return
        with self._lock:
            held.over = True
            unused = held.users == 0
        if unused:
            held.backend.close()
