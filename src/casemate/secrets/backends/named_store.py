"""Stores of names with tags, without namespaces: which secret is where, what of it is seen (spec/security 2.5, 2.9).

Managed secrets are at `PREFIX-HASH`, and their tags tell their address. Where secrets are only read, people tag them by
hand; with `filter-on-prefix`, and in stores that give each value a name of its own, the name is the key. What has no
`tenant` tag is of the tenant `main`; what is read by its name and has no `namespace` tag is of every namespace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from casemate.identifiers import MAIN, Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import tags
from casemate.secrets.backend import ANYWHERE, Address, Entry, Found
from casemate.secrets.errors import BackendFailed, InvalidOptions, ReadOnly
from casemate.secrets.naming import inner_name, outer_name, stored_name, tagged_address
from casemate.secrets.options import NamedChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A secret as its service lists it: no value. `tags` are without those of the service itself."""

    name: str
    tags: Mapping[str, str]
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a listing may leave out on the service's side; it need not."""

    beginning: str = ""
    tags: Mapping[str, str]


class Service(Protocol):
    """A service of a cloud: values under names. Every method raises `BackendFailed`."""

    by_name: bool
    """Whether a name is a key where nothing says otherwise."""

    def value(self, name: str) -> Secret | None:
        """The value under a name; None if there is none."""
        ...

    def tags(self, name: str) -> Mapping[str, str] | None:
        """The tags of what is there; None if nothing is."""
        ...

    def items(self, sought: Sought) -> Iterator[Item]:
        """At least everything that is sought."""
        ...

    def create(self, item: Item, value: Secret) -> bool:
        """Keep a value under a new name; False if the name is taken."""
        ...

    def replace(self, item: Item, value: Secret | None, before: Mapping[str, str]) -> None:
        """Replace what is there; `before` are its tags. Without a value, only description and tags."""
        ...

    def remove(self, name: str) -> None:
        """Remove what is under a name for good."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class NamedStore:
    """A store of a service. Descriptions are kept.

    Raises `InvalidOptions` for what has no meaning where secrets are managed.
    """

    def __init__(self, service: Service, options: NamedChoice, *, read_only: bool) -> None:
        if options.filter_on_prefix and not read_only:
            raise InvalidOptions(("filter-on-prefix needs kestra.secret.read-only: true",))
        self._service = service
        self._options = options
        self._read_only = read_only
        self._filtered = bool(options.filter_on_tags or options.excluded_tags)
        self._searched = read_only and not options.filter_on_prefix and not service.by_name

    def read(self, address: Address) -> Found | None:
        """See `Backend`; secrets that only tags tell of are searched for first."""
        name = self._name(address)
        value = None if name is None else self._service.value(name)
        return None if value is None else Found(value=value)

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """See `Backend`."""
        found = (self._entry(item) for item in self._service.items(self._sought(tenant, namespace)))
        wanted = (tenant, ANYWHERE, namespace)
        seen = [
            entry
            for entry in found
            if entry and entry.address.tenant == tenant and (namespace is None or entry.address.namespace in wanted[1:])
        ]
        return sorted(seen, key=lambda entry: (entry.address.namespace, entry.address.name))

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Backend`."""
        name = self._writable(entry.address)
        if value is not None and not value.reveal():
            raise BackendFailed("An empty text is no secret.")
        item = self._item(name, entry)
        before = self._service.tags(name)
        if before is None and (value is None or self._service.create(item, value)):
            return
        self._service.replace(item, value, before or self._service.tags(name) or {})

    def delete(self, address: Address) -> bool:
        """See `Backend`."""
        name = self._writable(address)
        found = self._service.tags(name)
        if found is None or not tags.shown(found, self._options):
            return False
        self._service.remove(name)
        return True

    def close(self) -> None:
        """See `Backend`."""
        self._service.close()

    def _writable(self, address: Address) -> str:
        if self._read_only:
            raise ReadOnly(address.namespace)
        return stored_name(self._options.prefix, address)

    def _item(self, name: str, entry: Entry) -> Item:
        said = tags.written(entry, self._options, self._options.prefix)
        said.pop(tags.DESCRIPTION, None)
        if not tags.shown(said, self._options):
            raise BackendFailed("With these tags filter-on-tags or excluded-tags would hide the secret.")
        return Item(name=name, tags=said, description=entry.description or "")

    def _name(self, address: Address) -> str | None:
        """Where a secret is; None if it is not to be seen."""
        managed = stored_name(self._options.prefix, address)
        if not self._read_only and not self._filtered:
            return managed
        if self._searched:
            return self._found(address)
        names = [] if self._options.filter_on_prefix else [managed]
        outer = outer_name(address.name, self._options.filter_on_prefix) if self._read_only else None
        return next((name for name in (*names, *filter(None, [outer])) if self._is_at(name, address)), None)

    def _is_at(self, name: str, address: Address) -> bool:
        said = self._service.tags(name)
        entry = None if said is None else self._entry(Item(name=name, tags=said, description=""))
        return entry is not None and entry.address in (address, replace(address, namespace=ANYWHERE))

    def _found(self, address: Address) -> str | None:
        said = {"key": address.name, "namespace": address.namespace}
        for item in self._service.items(Sought(tags=said)):
            if tagged_address(item.tags, self._options.prefix) == address and tags.shown(item.tags, self._options):
                return item.name
        return None

    def _sought(self, tenant: TenantId, namespace: Namespace | None) -> Sought:
        said = {"namespace": namespace} if namespace else {}
        # What people tag by hand may leave out `main`.
        tenants = {} if self._read_only and tenant == MAIN else {"tenant": tenant}
        if not self._read_only:
            beginning = f"{self._options.prefix}-" if self._options.prefix else ""
            return Sought(beginning=beginning, tags={**said, **tenants})
        if self._searched:
            return Sought(tags={**said, **tenants})
        begun = self._options.filter_on_prefix
        return Sought(beginning=begun.prefix if begun else "", tags=tenants)

    def _entry(self, item: Item) -> Entry | None:
        """What people see of an item; None if it is not ours, or hidden."""
        address = self._address(item)
        if address is None or not tags.shown(item.tags, self._options):
            return None
        return replace(tags.entry(address, item.tags, self._options), description=item.description or None)

    def _address(self, item: Item) -> Address | None:
        told = tagged_address(item.tags, self._options.prefix)
        if self._searched or (told and stored_name(self._options.prefix, told) == item.name):
            return told if self._options.filter_on_prefix is None else self._named_address(item)
        return self._named_address(item) if self._read_only else None

    def _named_address(self, item: Item) -> Address | None:
        name = inner_name(item.name, self._options.filter_on_prefix)
        tenant = TenantId(item.tags.get("tenant") or MAIN)
        namespace = Namespace(item.tags.get("namespace") or ANYWHERE)
        return None if name is None else Address(tenant=tenant, namespace=namespace, name=name)
