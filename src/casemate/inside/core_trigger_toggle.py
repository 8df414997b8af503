"""`core.trigger.Toggle`: enable or disable a trigger (spec/engine 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def run(job: Mapping[str, Any], _tell: Callable[[Mapping[str, object]], None]) -> None:
    """NotImplementedError: triggers that fire by themselves are not there yet, so none can be switched."""
    name = str(job["properties"].get("trigger"))[:200]
    raise NotImplementedError(f"The trigger '{name}' cannot be toggled: triggers are not scheduled in this version.")
