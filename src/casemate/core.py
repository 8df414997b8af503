"""The task types of an installation: those of the manifests that ship with the package, as the settings have them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from casemate.catalog import Allowed, Catalog, Manifest, read_manifests
from casemate.settings import Settings


@cache
def catalog() -> Catalog:
    """Every core type; read once."""
    folder = files("casemate.manifests")
    texts = (entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".json"))
    return Catalog(manifest for text in texts for manifest in read_manifests(text))


def configured(settings: Settings, further: Iterable[Manifest] = ()) -> Catalog:
    """The core types and these, under the installation's rules; only what it allows can be used."""
    security = settings.plugin_security
    types = catalog().joined(further).with_rules(settings.rules)
    return types.restricted_to(Allowed(security.includes, security.excludes))
