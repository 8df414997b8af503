"""Files: internal storage behind `kestra:///` addresses."""

from casemate.storage import namespaces, paths, revisions
from casemate.storage.errors import BadUri, NotThere, Occupied, StorageError, TooLarge
from casemate.storage.storage import Storage, Stored

__all__ = [
    "BadUri",
    "NotThere",
    "Occupied",
    "Storage",
    "StorageError",
    "Stored",
    "TooLarge",
    "namespaces",
    "paths",
    "revisions",
]
