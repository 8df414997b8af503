"""The core task types, from the manifests that ship with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from casemate.catalog import Catalog, read_manifests


@cache
def catalog() -> Catalog:
    """Every core type; read once."""
    folder = files("casemate.manifests")
    texts = (entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".json"))
    return Catalog(manifest for text in texts for manifest in read_manifests(text))
