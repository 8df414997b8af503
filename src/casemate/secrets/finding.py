"""Finding secrets, and changing them: who may, and for which namespaces. It blocks as long as the stores do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import ANYWHERE, Address, Backend, Entry, Found
from casemate.secrets.errors import Denied, NotAllowed, ReadOnly
from casemate.secrets.levels import Level, Rules, alone, levels
from casemate.secrets.own_stores import OwnStores
from casemate.secrets.places import askable, lineage
from casemate.settings import Service
from casemate.store import StoredNamespace


class Secrets:
    """The secrets of an instance. Every method raises `Denied` for a service that gets none, and `BackendFailed`.

    `service` is whoever asks, not the process: where one process is all services each is held to its own rights.
    `backend` is the store of all namespaces but those that bring one of their `own`. `read_only` says of the first
    that it cannot be written to, `all_read_only` of all.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        denied: frozenset[Service] = frozenset(),
        read_only: bool = False,
        all_read_only: bool = False,
        own: OwnStores | None = None,
    ) -> None:
        self._backend = backend
        self._rules = Rules(denied=denied, read_only=read_only, all_read_only=all_read_only)
        self.own = own
        self.read_only = read_only

    def find(
        self,
        service: Service,
        tenant: TenantId,
        namespace: Namespace,
        name: str,
        *,
        caller: Namespace | None = None,
        inherit: bool = True,
    ) -> Found | None:
        """The secret as flows of that namespace see it: its own, or that of the nearest namespace above.

        None if there is none. A store that fails is not passed over: what a nearer namespace might have is not taken
        from above. `caller` is the namespace of whoever asks for another one's; raises `NotAllowed` where it may not.
        """
        self._admit(service, self._rules.denied)
        if not askable(name):
            return None
        records = self._records(tenant, lineage(namespace))
        for level in levels(namespace, records, self._rules, inherit=inherit):
            if caller is not None:
                _let_in(caller, level.namespace, namespace, records)
            found = self._read(service, tenant, level, name)
            if found is not None:
                return found
        return None

    def read(self, service: Service, address: Address) -> Found | None:
        """The secret exactly there, whatever namespaces above have; None if there is none."""
        self._admit(service, self._rules.denied)
        if not askable(address.name):
            return None
        level = self._level(service, address.tenant, address.namespace)
        return self._read(service, address.tenant, level, address.name)

    def entries(self, service: Service, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """What a namespace has itself, by name; None means all namespaces. `ANYWHERE` is where all of them have it.

        Among all, those of namespaces where the service is denied are left out.
        """
        self._admit(service, self._rules.denied)
        if namespace is None:
            return self._all(service, tenant)
        level = self._level(service, tenant, namespace)
        with self._store(level) as store:
            return store.entries(tenant, namespace)

    def inherited(self, service: Service, tenant: TenantId, namespace: Namespace) -> Mapping[Namespace, Sequence[str]]:
        """The names that flows of a namespace see, by the namespace they come from, the nearest first."""
        self._admit(service, self._rules.denied)
        names: dict[Namespace, list[str]] = {}
        nearest: dict[str | None, Namespace] = {}
        for level in levels(namespace, self._records(tenant, lineage(namespace)), self._rules):
            self._admit(service, level.denied)
            owner = None if level.store is None else level.store.id
            anywhere = nearest.setdefault(owner, level.namespace)
            with self._store(level) as store:
                found = store.entries(tenant, level.namespace)
            for entry in found:
                known = names.setdefault(anywhere if entry.address.namespace == ANYWHERE else level.namespace, [])
                if entry.address.name not in known:
                    known.append(entry.address.name)
        return {place: sorted(found) for place, found in names.items()}

    def read_only_at(self, tenant: TenantId, namespace: Namespace | None) -> bool:
        """Can the secrets of a namespace not be changed from here? None: of those that bring no store."""
        if namespace is None:
            return self.read_only
        return alone(namespace, self._records(tenant, lineage(namespace)), self._rules).read_only

    def kind_at(self, tenant: TenantId, namespace: Namespace | None) -> str | None:
        """The kind of the store that a namespace, or one above it, brings; None where the instance's own is meant."""
        if namespace is None:
            return None
        store = alone(namespace, self._records(tenant, lineage(namespace)), self._rules).store
        return None if store is None else store.secret_type

    def write(self, service: Service, entry: Entry, value: Secret | None) -> None:
        """Create or replace a secret; without a value only its description and tags. Raises `ReadOnly`."""
        with self._writable(service, entry.address) as store:
            store.write(entry, value)

    def delete(self, service: Service, address: Address) -> bool:
        """Remove a secret; whether there was one. Raises `ReadOnly`."""
        with self._writable(service, address) as store:
            return store.delete(address)

    def close(self) -> None:
        """Let go of the stores."""
        if self.own is not None:
            self.own.close()
        self._backend.close()

    # Levels ----------------------------------------------------------------------------------------------------------

    def _records(self, tenant: TenantId, names: Iterable[Namespace] | None) -> Mapping[Namespace, StoredNamespace]:
        return {} if self.own is None else self.own.records(tenant, names)

    def _level(self, service: Service, tenant: TenantId, namespace: Namespace) -> Level:
        level = alone(namespace, self._records(tenant, lineage(namespace)), self._rules)
        self._admit(service, level.denied)
        return level

    @contextmanager
    def _store(self, level: Level) -> Iterator[Backend]:
        if level.store is None:
            yield self._backend
            return
        assert self.own is not None, "only they know of records"
        with self.own.lent(level.store) as store:
            yield store

    def _read(self, service: Service, tenant: TenantId, level: Level, name: str) -> Found | None:
        self._admit(service, level.denied)
        with self._store(level) as store:
            return store.read(Address(tenant=tenant, namespace=level.namespace, name=name))

    def _all(self, service: Service, tenant: TenantId) -> list[Entry]:
        """From each store what is of namespaces that have it: another may have been there before, or be shared."""
        records = self._records(tenant, None)
        owners = [None, *(record for record in records.values() if record.secret_type is not None)]
        found: list[Entry] = []
        for owner in owners:
            found += self._of(service, tenant, owner, records)
        return sorted(found, key=lambda entry: (entry.address.namespace, entry.address.name))

    def _of(
        self,
        service: Service,
        tenant: TenantId,
        owner: StoredNamespace | None,
        records: Mapping[Namespace, StoredNamespace],
    ) -> Iterator[Entry]:
        place = ANYWHERE if owner is None else owner.id
        level = alone(place, records, self._rules)
        if service in level.denied:
            return
        with self._store(level) as store:
            found = store.entries(tenant, None)
        for entry in found:
            there = alone(entry.address.namespace or place, records, self._rules)
            if there.store == owner and service not in there.denied:
                yield entry if owner is None or entry.address.namespace != ANYWHERE else _moved(entry, place)

    # Rights ----------------------------------------------------------------------------------------------------------

    @contextmanager
    def _writable(self, service: Service, address: Address) -> Iterator[Backend]:
        self._admit(service, self._rules.denied)
        level = self._level(service, address.tenant, address.namespace)
        if level.read_only:
            raise ReadOnly(address.namespace)
        with self._store(level) as store:
            yield store

    def _admit(self, service: Service, denied: frozenset[Service]) -> None:
        if service in denied:
            raise Denied(service)


def _let_in(
    caller: Namespace, place: Namespace, asked: Namespace, records: Mapping[Namespace, StoredNamespace]
) -> None:
    """May whoever asked for another namespace's secret have it from this place, which it lies in or is?

    What a caller inherits itself it may have this way, too.
    """
    record = records.get(place)
    inherits = place != asked and place in lineage(caller)
    if record is not None and not inherits and not record.admits(caller):
        raise NotAllowed(place)


def _moved(entry: Entry, namespace: Namespace) -> Entry:
    address = Address(tenant=entry.address.tenant, namespace=namespace, name=entry.address.name)
    return Entry(address=address, description=entry.description, tags=entry.tags)
