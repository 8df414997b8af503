"""`core.log.PurgeLogs`: delete log entries (spec/engine 8.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import maybe, texts


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `count`."""
    properties = job["properties"]
    wanted = {name: maybe(properties.get(name)) for name in ("namespace", "flowId", "startDate", "endDate")}
    tell({"outputs": {"count": ask("logs.purge", **wanted, logLevels=texts(properties.get("logLevels")))}})
