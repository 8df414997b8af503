"""`core.kv.GetKeys`: list the keys of the KV store (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import maybe


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `keys`, those that begin with `prefix`."""
    properties = job["properties"]
    prefix, namespace = maybe(properties.get("prefix")), maybe(properties.get("namespace"))
    tell({"outputs": {"keys": ask("kv.keys", prefix=prefix, namespace=namespace)}})
