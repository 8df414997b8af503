"""`core.namespace.DeleteFiles`: delete files of a namespace (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.namespaces import meant
from casemate.inside.reading import maybe


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `files`, the paths that were deleted."""
    properties = job["properties"]
    files = meant(properties, ask)
    tell({"outputs": {"files": ask("namespace.delete", namespace=maybe(properties.get("namespace")), files=files)}})
