"""What a check of the whole configuration finds, before it is known where the keys were written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about one or more keys; it is shown at the first of them that was written."""

    keys: tuple[str, ...]
    message: str
    code: str = "config.contradiction"
    remedy: str = ""
