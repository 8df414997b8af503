"""How heavy may outputs be? (spec/engine 3.3)"""

from __future__ import annotations

import json
from collections.abc import Mapping


def refusal(outputs: Mapping[str, object] | None, limit: int) -> str | None:
    """Kestra's text if the outputs, as JSON, have more bytes than the limit."""
    if not outputs:
        return None
    size = len(json.dumps(outputs, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    if size <= limit:
        return None
    message = f"Message of size {size} has exceeded the configured limit of {limit}"
    return f"Unable to emit the worker task result to the queue: {message}"
