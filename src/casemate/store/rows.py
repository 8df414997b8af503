"""JSON texts in rows."""

from __future__ import annotations

import json
from typing import Any


def packed(value: object) -> str:
    """A JSON value as a text of ASCII characters, so that half a surrogate pair cannot refuse to be stored."""
    return json.dumps(value, separators=(",", ":"))


def unpacked(text: str) -> Any:
    """The JSON value of a text."""
    return json.loads(text)
