"""`core.namespace.UploadFiles`: put files into a namespace (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import mapping, maybe, texts


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `files`, path to address: those of the working directory that `files` match, and those of `filesMap`."""
    properties = job["properties"]
    globs, mapped = texts(properties.get("files")), mapping(properties.get("filesMap"))
    if not globs and not mapped:
        raise ValueError("files or filesMap is required")
    wanted = {**(ask("files.keep", globs=globs) if globs else {}), **mapped}
    destination = str(properties.get("destination") or "/").strip("/")
    files = ask(
        "namespace.upload",
        namespace=maybe(properties.get("namespace")),
        files={f"{destination}/{path.lstrip('/')}".lstrip("/"): str(uri) for path, uri in wanted.items()},
        conflict=(maybe(properties.get("conflict")) or "OVERWRITE").upper(),
    )
    tell({"outputs": {"files": {f"/{path}": uri for path, uri in files.items()}}})
