"""Which task types exist, with which properties, capabilities, defaults and policies?"""

from casemate.catalog.model import Capability, Catalog, Kind, Manifest, Role

__all__ = ["Capability", "Catalog", "Kind", "Manifest", "Role"]
