"""`core.execution.Resume`: let a paused execution go on (spec/engine 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import mapping, maybe


def run(job: Mapping[str, Any], _tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Resume it with `inputs`."""
    properties = job["properties"]
    wanted = {name: maybe(properties.get(name)) for name in ("executionId", "namespace", "flowId")}
    ask("executions.resume", **wanted, inputs=mapping(properties.get("inputs")))
