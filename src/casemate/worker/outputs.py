"""The outputs of one attempt while it runs: later messages win, and the sum stays below what a result may weigh."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

LARGEST: Final = 1 << 20
"""Bytes of a whole result as JSON (spec/engine 3.3)."""


def too_large(size: int) -> str:
    """Kestra's text for a result that is not taken."""
    return (
        "Unable to emit the worker task result to the queue: "
        f"Message of size {size} has exceeded the configured limit of {LARGEST}"
    )


def weight(value: object) -> int:
    """Bytes of a value as JSON; a few more than any way of writing it needs."""
    return len(json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace"))


class Gathered:
    """Outputs said so far. What would make them too large is dropped and counted: the attempt fails at its end."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.refused: int | None = None
        """The size that was too large."""
        self._weights: dict[str, int] = {}
        self._total = 2

    def add(self, outputs: Mapping[str, object]) -> None:
        """Take these over the earlier ones of the same names."""
        for key, value in outputs.items():
            size = weight(key) + weight(value) + 4
            total = self._total - self._weights.get(key, 0) + size
            if total > LARGEST:
                self.refused = max(self.refused or 0, total)
            else:
                self.values[key] = value
                self._weights[key], self._total = size, total
