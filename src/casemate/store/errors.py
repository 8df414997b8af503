"""What can go wrong with the database."""

from __future__ import annotations

from casemate.errors import CasemateError


class StoreError(CasemateError):
    """The database cannot do this."""


class StoreUnavailable(StoreError):
    """The database cannot be used just now: disk full, locked, or broken. Nothing of the attempt was kept."""


class Conflict(StoreError):
    """Someone else changed the row first; read it again."""


class SchemaUnknown(StoreError):
    """The database was made by a newer version."""


class StateInUse(StoreError):
    """Another process works on this database."""
