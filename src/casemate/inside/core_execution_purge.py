"""`core.execution.PurgeExecutions`: delete executions that have ended (spec/engine 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import flag, maybe, texts

_FLAGS = ("purgeExecution", "purgeLog", "purgeMetric", "purgeStorage")


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output how many executions, log entries, measurements and files were deleted, each if it was asked for."""
    properties = job["properties"]
    wanted = {name: maybe(properties.get(name)) for name in ("namespace", "flowId", "startDate", "endDate")}
    flags = {name: flag(properties.get(name), default=True) for name in _FLAGS}
    tell({"outputs": ask("executions.purge", **wanted, **flags, states=texts(properties.get("states")))})
