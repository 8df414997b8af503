"""`core.kv.Delete`: remove a key from the KV store (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.core_kv_get import KeyMissing, missing
from casemate.inside.reading import flag, maybe


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `deleted`; with `errorOnMissing` a key that is not there is a failure."""
    properties = job["properties"]
    key = str(properties["key"])
    answer = ask("kv.delete", key=key, namespace=maybe(properties.get("namespace")))
    if not answer["deleted"] and flag(properties.get("errorOnMissing"), default=False):
        raise KeyMissing(missing(key, answer["namespace"]))
    tell({"outputs": {"deleted": answer["deleted"]}})
