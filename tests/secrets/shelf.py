"""A store of secrets in memory: small, complete, and it counts what it was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Event

from casemate.identifiers import MAIN, Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import Address, Entry, Found


def at(namespace: str, name: str, tenant: TenantId = MAIN) -> Address:
    return Address(tenant=tenant, namespace=Namespace(namespace), name=name)


class Shelf:
    """Secrets by namespace and name. `failing` is raised instead of an answer."""

    def __init__(self, secrets: Mapping[tuple[str, str], str] | None = None) -> None:
        self.kept: dict[Address, tuple[Entry, Secret]] = {}
        for (namespace, name), value in (secrets or {}).items():
            self.write(Entry(address=at(namespace, name)), Secret(value))
        self.asked: list[Address] = []
        self.failing: list[Exception] = []
        self.read_once = Event()

    def read(self, address: Address) -> Found | None:
        self.asked.append(address)
        self.read_once.set()
        if self.failing:
            raise self.failing.pop(0)
        kept = self.kept.get(address)
        return None if kept is None else Found(value=kept[1])

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        own = [entry for entry, _ in self.kept.values() if entry.address.tenant == tenant]
        chosen = [entry for entry in own if namespace is None or entry.address.namespace == namespace]
        return sorted(chosen, key=lambda entry: entry.address.name)

    def write(self, entry: Entry, value: Secret | None) -> None:
        self.kept[entry.address] = (entry, value or self.kept[entry.address][1])

    def delete(self, address: Address) -> bool:
        return self.kept.pop(address, None) is not None

    def close(self) -> None:
        self.kept.clear()
