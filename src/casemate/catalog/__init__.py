"""Which task types exist, with which properties, capabilities, defaults and policies?"""

from casemate.catalog.allowed import Allowed, means, refused
from casemate.catalog.errors import BadManifest
from casemate.catalog.manifest import Capability, Installed, Kind, Manifest, Role
from casemate.catalog.model import Catalog
from casemate.catalog.origin import Origin
from casemate.catalog.plugins import Plugin, Plugins, Unresolved
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
    "Installed",
    "Kind",
    "Manifest",
    "Origin",
    "Plugin",
    "Plugins",
    "Role",
    "Schema",
    "Unresolved",
    "means",
    "read_manifests",
    "read_schema",
    "refused",
]
