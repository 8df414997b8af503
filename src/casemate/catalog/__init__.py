"""Which task types exist, with which properties, capabilities, defaults and policies?"""

from casemate.catalog.allowed import Allowed, means, refused
from casemate.catalog.errors import BadManifest
from casemate.catalog.model import Capability, Catalog, Kind, Manifest, Role
from casemate.catalog.read import read_manifests
from casemate.catalog.schema import Check, Format, Holds, Schema, read_schema

__all__ = [
    "Allowed",
    "BadManifest",
    "Capability",
    "Catalog",
    "Check",
    "Format",
    "Holds",
    "Kind",
    "Manifest",
    "Role",
    "Schema",
    "means",
    "read_manifests",
    "read_schema",
    "refused",
]
