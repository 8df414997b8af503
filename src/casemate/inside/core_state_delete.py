"""`core.state.Delete`: forget a state (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.states import check, meant


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `deleted`."""
    properties = job["properties"]
    answer = ask("state.delete", **meant(properties))
    check(properties, answer["key"], found=answer["deleted"])
    tell({"outputs": {"deleted": answer["deleted"]}})
