"""`core.storage.Split`: split a file by its lines (spec/engine 8.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.splitting import parts_of
from casemate.inside.stored import extension, fetched


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `uris`: chunks of so many `bytes` or `rows`, or so many `partitions`, the first of these that is given."""
    properties = job["properties"]
    source = fetched(job, properties["from"])
    parts = parts_of(properties, source, "chunk", extension(properties["from"]))
    kept = ask("files.keep", paths=parts)
    tell({"outputs": {"uris": [kept[part] for part in parts]}})
