"""`core.kv.Get`: get a value of the KV store (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import flag, maybe


class KeyMissing(Exception):
    """There is no such key."""


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `value`, nothing for a key that is not there; with `errorOnMissing` that is a failure."""
    properties = job["properties"]
    key = str(properties["key"])
    answer = ask("kv.get", key=key, namespace=maybe(properties.get("namespace")))
    if not answer["found"] and flag(properties.get("errorOnMissing"), default=False):
        raise KeyMissing(missing(key, answer["namespace"]))
    tell({"outputs": {"value": answer["value"]}})


def missing(key: str, namespace: str) -> str:
    """What a task says that needs a key."""
    return f"No value found for key '{key}' in namespace '{namespace}' and `errorOnMissing` is set to true"
