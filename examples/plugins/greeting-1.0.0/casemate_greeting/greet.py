"""Greet someone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """Say hello to `name`, in the log and as output."""
    greeting = f"Hello {job['properties']['name']}"
    tell({"log": {"level": "INFO", "message": greeting}})
    tell({"outputs": {"greeting": greeting}})
