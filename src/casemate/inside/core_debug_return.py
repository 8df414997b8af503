"""`core.debug.Return`: give a rendered text back as output (spec/engine 8.1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """Output `value`, log it at DEBUG, and measure its length and how long that took."""
    start = time.perf_counter()
    value = job["properties"].get("format")
    text = "" if value is None else str(value)
    tell({"log": {"level": "DEBUG", "message": text}})
    tell({"metric": {"name": "length", "kind": "counter", "value": len(text), "tags": {}}})
    tell({"metric": {"name": "duration", "kind": "timer", "value": time.perf_counter() - start, "tags": {}}})
    tell({"outputs": {"value": value}})
