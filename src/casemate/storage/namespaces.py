"""The files of a namespace as a tree. A folder without files is kept by a file of ours, which nobody sees."""

from __future__ import annotations

from casemate.identifiers import Namespace, TenantId
from casemate.storage import paths
from casemate.storage.storage import Storage, Stored

_MARK = "/.folder-without-files"


def files_of(storage: Storage, tenant: TenantId, namespace: Namespace) -> dict[str, Stored]:
    """Every file by its path, with a slash in front. Looks into the storage: not for the event loop."""
    folder = paths.namespace_folder(namespace)
    stored = storage.list_now(tenant, folder)
    return {each.uri.removeprefix(folder): each for each in stored if not each.uri.endswith(_MARK)}


def folders_of(storage: Storage, tenant: TenantId, namespace: Namespace) -> set[str]:
    """The path of every folder, with a slash in front; the top is `/`. The same holds."""
    folder = paths.namespace_folder(namespace)
    found = {"/"}
    for each in storage.list_now(tenant, folder):
        place = each.uri.removeprefix(folder).rpartition("/")[0]
        while place and place not in found:
            found.add(place)
            place = place.rpartition("/")[0]
    return found


def mark_of(namespace: Namespace, path: str) -> str:
    """The address of the file that keeps a folder. Raises `BadUri`."""
    return paths.namespace_file(namespace, path.rstrip("/") + _MARK)
