"""Runs a payload of the red team with the rights of a task type that declares none.

Its manifest is in no catalog but the red team's own: no flow of a user can name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """`code` is the whole program; it says how it went by `TELL`."""
    exec(compile(job["properties"]["code"], "payload", "exec"), {"TELL": tell, "__name__": "payload"})  # noqa: S102 - that is its task
