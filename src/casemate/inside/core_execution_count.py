"""`core.execution.Count`: count executions (spec/engine 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import maybe, texts


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `results`, those whose count meets the `expression`, and the `total` of their counts."""
    properties = job["properties"]
    counted = ask(
        "executions.count",
        flows=properties.get("flows"),
        namespaces=texts(properties.get("namespaces")),
        states=texts(properties.get("states")),
        startDate=maybe(properties.get("startDate")),
        endDate=maybe(properties.get("endDate")),
    )
    answers = ask("rows.render", property="expression", rows=[{"count": one["count"]} for one in counted])
    results = [one for one, answer in zip(counted, answers, strict=True) if _holds(answer)]
    tell({"outputs": {"results": results, "total": sum(one["count"] for one in results)}})


def _holds(answer: Mapping[str, Any]) -> bool:
    if "error" in answer:
        raise ValueError(answer["error"])
    return str(answer["value"]).strip() == "true"
