"""`core.trigger.Toggle`: enable or disable a trigger that is scheduled (spec/engine 9.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import flag, maybe


def run(job: Mapping[str, Any], _tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Switch the trigger of this flow, or of the one that is named; it gives no outputs."""
    properties = job["properties"]
    ask(
        "triggers.toggle",
        trigger=str(properties["trigger"]),
        namespace=maybe(properties.get("namespace")),
        flowId=maybe(properties.get("flowId")),
        enabled=flag(properties.get("enabled"), default=False),
    )
