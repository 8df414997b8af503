"""What the contract knows of a store: how to open it in several ways, and what it can keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from casemate.identifiers import Namespace, TenantId
from casemate.secrets.backend import Address, Backend


@dataclass(frozen=True, kw_only=True)
class Store:
    """A running server, or what stands for one, with the backend that uses it.

    `open(prefix=…, read_only=…, **options)` opens another backend on the same server, with options as they are written
    in a configuration (`filter_on_tags=…`). `wrong()` has credentials that the server refuses. `at(port)` expects the
    server at another port of loopback and waits for it for less than `SECONDS_OF_SILENCE`.
    """

    open: Callable[..., Backend]
    wrong: Callable[[], Backend]
    at: Callable[[int], Backend]
    credentials: tuple[str, ...] = ()
    speaks: str = "http"
    """What a server at a port of loopback has to speak to be listened to: `http`, `https`, or something else."""
    certificate: tuple[str, str] | None = None
    """Files that it shows itself by, where that is `https`."""
    tags: bool = True
    descriptions: bool = True
    longest: int = 20_000
    """Characters of a value."""


SECONDS_OF_SILENCE = 5.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """A tenant and a namespace that no other test uses."""

    tenant: TenantId
    namespace: Namespace

    def at(self, name: str, below: str = "") -> Address:
        """A secret there, or in a namespace below."""
        namespace = Namespace(f"{self.namespace}.{below}") if below else self.namespace
        return Address(tenant=self.tenant, namespace=namespace, name=name)
