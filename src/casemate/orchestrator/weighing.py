"""How heavy may outputs be, and a new execution (spec/engine 3.3, 14)?"""

from __future__ import annotations

import json
from collections.abc import Mapping

from casemate.executions import Execution, WrongChoice, execution_document


def refusal(outputs: Mapping[str, object] | None, limit: int) -> str | None:
    """Kestra's text if the outputs, as JSON, have more bytes than the limit."""
    message = _excess(outputs, limit) if outputs else None
    return None if message is None else f"Unable to emit the worker task result to the queue: {message}"


def check(execution: Execution, limit: int) -> None:
    """Raises `WrongChoice` with Kestra's text if a new execution, as JSON, has more bytes than the limit."""
    message = _excess(execution_document(execution), limit)
    if message is not None:
        raise WrongChoice(message)


def _excess(value: object, limit: int) -> str | None:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    return f"Message of size {size} has exceeded the configured limit of {limit}" if size > limit else None
