"""`core.execution.Fail`: fail on purpose, always or on a condition (spec/engine 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_DEFAULT = "Task failure"
_FALSE = ("false", "0", "-0", "")


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """Fail with `errorMessage`; with a `condition` log that message and fail only if the condition is truthy."""
    properties = job["properties"]
    message = str(properties.get("errorMessage") or _DEFAULT)
    condition = properties.get("condition")
    if condition is None:
        tell({"failed": {"message": message}})
    elif _truthy(condition):
        tell({"log": {"level": "ERROR", "message": message}})
        tell({"failed": {"message": "Fail on a condition"}})


def _truthy(rendered: object) -> bool:
    """Spec/engine 6.6, on the text that a rendered value prints as."""
    text = str(rendered).lower() if isinstance(rendered, bool) else str(rendered)
    return text not in _FALSE
