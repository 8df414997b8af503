"""Finding secrets, and changing them: who may, and for which namespaces. It blocks as long as the store does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import ANYWHERE, Address, Backend, Entry, Found
from casemate.secrets.errors import Denied, ReadOnly
from casemate.secrets.places import askable, lineage
from casemate.settings import Service


class Secrets:
    """The secrets of an instance. Every method raises `Denied` for a service that gets none, and `BackendFailed`.

    `service` is whoever asks, not the process: where one process is all services each is held to its own rights.
    """

    def __init__(self, backend: Backend, *, denied: frozenset[Service] = frozenset(), read_only: bool = False) -> None:
        self._backend = backend
        self._denied = denied
        self.read_only = read_only

    def find(self, service: Service, tenant: TenantId, namespace: Namespace, name: str) -> Found | None:
        """The secret as flows of that namespace see it: its own, or that of the nearest namespace above.

        None if there is none. A store that fails is not passed over: what a nearer namespace might have is not taken
        from above.
        """
        self._admit(service)
        if not askable(name):
            return None
        for place in lineage(namespace):
            found = self._backend.read(Address(tenant=tenant, namespace=place, name=name))
            if found is not None:
                return found
        return None

    def read(self, service: Service, address: Address) -> Found | None:
        """The secret exactly there, whatever namespaces above have; None if there is none."""
        self._admit(service)
        return self._backend.read(address) if askable(address.name) else None

    def entries(self, service: Service, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """What a namespace has itself, by name; None means all namespaces. `ANYWHERE` is where all of them have it."""
        self._admit(service)
        return self._backend.entries(tenant, namespace)

    def inherited(self, service: Service, tenant: TenantId, namespace: Namespace) -> Mapping[Namespace, Sequence[str]]:
        """The names that flows of a namespace see, by the namespace they come from, the nearest first."""
        self._admit(service)
        names: dict[Namespace, list[str]] = {}
        for place in lineage(namespace):
            for entry in self._backend.entries(tenant, place):
                origin = namespace if entry.address.namespace == ANYWHERE else place
                if entry.address.name not in names.setdefault(origin, []):
                    names[origin].append(entry.address.name)
        return {place: sorted(found) for place, found in names.items()}

    def write(self, service: Service, entry: Entry, value: Secret | None) -> None:
        """Create or replace a secret; without a value only its description and tags. Raises `ReadOnly`."""
        self._open(service, entry.address)
        self._backend.write(entry, value)

    def delete(self, service: Service, address: Address) -> bool:
        """Remove a secret; whether there was one. Raises `ReadOnly`."""
        self._open(service, address)
        return self._backend.delete(address)

    def close(self) -> None:
        """Let go of the store."""
        self._backend.close()

    def _admit(self, service: Service) -> None:
        if service in self._denied:
            raise Denied(service)

    def _open(self, service: Service, address: Address) -> None:
        self._admit(service)
        if self.read_only:
            raise ReadOnly(address.namespace)
