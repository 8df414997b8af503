"""The port: one store of secrets. What Kestra makes of it (inheritance, cache, retries) is decided around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret

ANYWHERE: Final = Namespace("")
"""The namespace of what a store keeps for all of them alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a secret is: exactly there, not in a namespace above."""

    tenant: TenantId
    namespace: Namespace
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What people may see of a secret: never its value. `tags` are the user's own."""

    address: Address
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A secret that was read. `fields` are what its store keeps beside the value (spec/security 2.6)."""

    value: Secret
    fields: Mapping[str, Secret] = field(default_factory=dict)


class Backend(Protocol):
    """A store of secrets, of one tenant or of all. Its methods block, are called from several threads at once, and
    raise `BackendFailed`; none of them tries again, or remembers what it read.
    """

    def read(self, address: Address) -> Found | None:
        """The secret at an address; None if there is none."""
        ...

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """What is there, by name; None means all namespaces of the tenant."""
        ...

    def write(self, entry: Entry, value: Secret | None) -> None:
        """Create or replace a secret; without a value only its description and tags, if there is one.

        Raises `ReadOnly`.
        """
        ...

    def delete(self, address: Address) -> bool:
        """Remove a secret for good; whether there was one. Raises `ReadOnly`."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
