"""The policies in force: those of the configuration and those of the database, read again whenever one changes."""

from __future__ import annotations

from asyncio import Lock

from casemate.catalog import Catalog
from casemate.errors import CasemateError
from casemate.governance import Placed, read_policy_text
from casemate.orchestrator.shelf import Shelf
from casemate.store import Database, StoredPolicy, policies


class PolicyUnreadable(CasemateError):
    """A stored policy can not be applied, and nothing is run as if it were not there."""


class Governing:
    """Owns the rules that the catalog enforces: nobody else replaces them."""

    def __init__(self, db: Database, catalog: Catalog, shelf: Shelf) -> None:
        self._db = db
        self._catalog = catalog
        self._shelf = shelf
        self._renewing = Lock()

    async def renew(self) -> None:
        """Enforce what is stored now: in every flow that is read from here on. Raises `PolicyUnreadable`."""
        # One after the other: what was read before a change must not be enforced after it.
        async with self._renewing:
            stored = await self._db.read(policies.every)
            self._catalog.enforce(self._catalog.rules.with_stored(placed(each) for each in stored))
            self._shelf.clear()


def placed(stored: StoredPolicy) -> Placed:
    """A stored policy as it is enforced. Raises `PolicyUnreadable`."""
    found = read_policy_text(stored.source)
    if isinstance(found, tuple):
        told = "; ".join(problem.printed() for problem in found)
        raise PolicyUnreadable(f"The stored policy '{stored.id}' cannot be read: {told}")
    place = stored.place
    return Placed(
        policy=found.policy,
        scope=place.scope,
        tenant=place.tenant or None,
        namespace=place.namespace or None,
        source=stored.source,
    )
