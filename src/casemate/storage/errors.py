"""What can go wrong with files."""

from __future__ import annotations

from casemate.errors import CasemateError


class StorageError(CasemateError):
    """The internal storage cannot be read or written."""


class BadUri(StorageError):
    """Not the address of a file in the internal storage."""


class NotThere(StorageError):
    """There is no such file."""


class Occupied(StorageError):
    """A file is where a folder would have to be, or the other way round."""


class TooLarge(StorageError):
    """The file is larger than may be read at once."""
