"""`core.output.OutputValues`: give rendered values back as outputs (spec/engine 8.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """Output `values` as they are."""
    tell({"outputs": {"values": job["properties"].get("values") or {}}})
