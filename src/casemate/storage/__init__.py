"""Files: internal storage behind `kestra:///` addresses."""

from casemate.storage import namespaces, paths
from casemate.storage.errors import BadUri, NotThere, StorageError, TooLarge
from casemate.storage.storage import Storage, Stored

__all__ = ["BadUri", "NotThere", "Storage", "StorageError", "Stored", "TooLarge", "namespaces", "paths"]
