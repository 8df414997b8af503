"""`core.storage.FilterItems`: keep the rows that meet a condition (spec/engine 8.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from casemate.inside.ion import rows
from casemate.inside.items import filled
from casemate.inside.stored import extension, fetched

_FALSE = ("false", "0", "-0", "")


class ConditionFailed(Exception):
    """The condition cannot be evaluated for a row."""


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `uri`, `processedItemsTotal` and `droppedItemsTotal`."""
    properties = job["properties"]
    result = Path(f"filtered{extension(properties['from'], '.ion')}")
    processed = kept = 0
    with result.open("x", encoding="utf-8") as file:
        for row, value, error in filled(ask, "filterCondition", rows(fetched(job, properties["from"]))):
            processed += 1
            if _stays(properties, value, error):
                kept += 1
                file.write(f"{row.text}\n")
    uri = ask("files.keep", paths=[str(result)])[str(result)]
    tell({"outputs": {"uri": uri, "processedItemsTotal": processed, "droppedItemsTotal": processed - kept}})


def _stays(properties: Mapping[str, Any], value: str | None, error: str | None) -> bool:
    behavior = str(properties.get("errorOrNullBehavior") or "FAIL").upper()
    if error is None and value is not None:
        holds = value.strip() not in _FALSE
        return holds is (str(properties.get("filterType") or "INCLUDE").upper() == "INCLUDE")
    if behavior == "FAIL":
        raise ConditionFailed(error or "The condition gives nothing.")
    return behavior == "INCLUDE"
