"""`core.kv.Set`: set a key of the KV store (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import flag, maybe


def run(job: Mapping[str, Any], _tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Set `key` to `value`, converted to `kvType`, for as long as `ttl` says."""
    properties = job["properties"]
    ask(
        "kv.set",
        key=str(properties["key"]),
        value=properties.get("value"),
        namespace=maybe(properties.get("namespace")),
        overwrite=flag(properties.get("overwrite"), default=True),
        ttl=maybe(properties.get("ttl")),
        type=maybe(properties.get("kvType")),
    )
