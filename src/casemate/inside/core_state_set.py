"""`core.state.Set`: merge values into a state (spec/engine 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import mapping
from casemate.inside.states import meant


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Merge `data` over what is stored; output how many values there are now, and the `key`."""
    properties = job["properties"]
    answer = ask("state.set", **meant(properties), data=mapping(properties.get("data")))
    tell({"outputs": {"count": answer["count"], "key": answer["key"]}})
