"""The first part of `core.flow.ForEachItem`: split a file into its batches (spec/engine 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from casemate.inside.splitting import parts_of
from casemate.inside.stored import extension, fetched

_TOGETHER = 500
"""How many files one question names."""


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `splits`, the file with the address of each batch on a line of its own, and `count` of them."""
    properties = job["properties"]
    items = str(properties.get("items") or "")
    if not items.strip().startswith("kestra://"):
        raise ValueError(f"Unable to split the items from {items}, this is not an internal storage URI!")
    parts = parts_of(properties.get("batch") or {}, fetched(job, items), "items", extension(items))
    splits = Path("splits.txt")
    with splits.open("x") as listed:
        for begin in range(0, len(parts), _TOGETHER):
            kept = ask("files.keep", paths=parts[begin : begin + _TOGETHER])
            listed.writelines(f"{kept[part]}\n" for part in parts[begin : begin + _TOGETHER])
    uri = ask("files.keep", paths=[str(splits)])[str(splits)]
    tell({"outputs": {"splits": uri, "count": len(parts)}})
