"""Files: internal storage behind `kestra:///` addresses."""

from casemate.storage import paths
from casemate.storage.errors import BadUri, NotThere, StorageError, TooLarge
from casemate.storage.storage import Storage, Stored

__all__ = ["BadUri", "NotThere", "Storage", "StorageError", "Stored", "TooLarge", "paths"]
