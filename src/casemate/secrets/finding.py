"""Finding secrets: which store is asked, and for which namespaces. It blocks as long as the stores do."""

from __future__ import annotations

from casemate.identifiers import Namespace, TenantId
from casemate.secrets.backend import Address, Backend, Found
from casemate.secrets.places import askable, lineage


class Secrets:
    """The secrets of an instance."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def find(self, tenant: TenantId, namespace: Namespace, name: str) -> Found | None:
        """The secret as flows of that namespace see it: its own, or that of the nearest namespace above.

        None if there is none. Raises `BackendFailed`: what a nearer namespace might have is not taken from above.
        """
        if not askable(name):
            return None
        for place in lineage(namespace):
            found = self._backend.read(Address(tenant=tenant, namespace=place, name=name))
            if found is not None:
                return found
        return None

    def close(self) -> None:
        """Let go of the stores."""
        self._backend.close()
