"""`core.state.Get`: get a state (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.states import check, meant


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `data` and how many values it holds."""
    properties = job["properties"]
    answer = ask("state.get", **meant(properties))
    check(properties, answer["key"], found=answer["found"])
    tell({"outputs": {"count": len(answer["data"]), "data": answer["data"]}})
