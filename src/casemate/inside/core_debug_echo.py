"""`core.debug.Echo`: log a rendered text; deprecated in favour of `core.log.Log` (spec/engine 8.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """Log `format` at `level` (INFO)."""
    properties = job["properties"]
    tell({"log": {"level": properties.get("level") or "INFO", "message": str(properties.get("format") or "")}})
