"""The port: what finds secrets."""

from __future__ import annotations

from typing import Protocol

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret


class Secrets(Protocol):
    """A secret backend."""

    def find(self, tenant: TenantId, namespace: Namespace, name: str) -> Secret | None:
        """The secret as flows of that namespace see it; None if there is none."""
        ...
