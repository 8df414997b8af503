"""`core.storage.Size`: the size of a file (spec/engine 8.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `size` in bytes."""
    tell({"outputs": {"size": ask("storage.size", uri=str(job["properties"]["uri"]).strip())}})
