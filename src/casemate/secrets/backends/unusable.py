"""A store of which too little is configured: the server starts, and who needs a secret is told why it has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import Address, Entry, Found
from casemate.secrets.errors import BackendFailed


class Unusable:
    """Fails for good, with the reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def read(self, address: Address) -> Found | None:
        """See `Backend`."""
        self._fail()

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """See `Backend`."""
        self._fail()

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Backend`."""
        self._fail()

    def delete(self, address: Address) -> bool:
        """See `Backend`."""
        self._fail()

    def close(self) -> None:
        """See `Backend`."""

    def _fail(self) -> NoReturn:
        raise BackendFailed(self.reason)
