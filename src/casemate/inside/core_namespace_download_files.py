"""`core.namespace.DownloadFiles`: copy files of a namespace for the tasks that follow (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.namespaces import meant
from casemate.inside.reading import maybe


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `files`, path to address."""
    properties = job["properties"]
    files = ask(
        "namespace.download",
        namespace=maybe(properties.get("namespace")),
        files=meant(properties, ask),
        destination=maybe(properties.get("destination")),
    )
    tell({"outputs": {"files": files}})
