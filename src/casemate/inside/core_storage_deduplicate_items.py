"""`core.storage.DeduplicateItems`: keep the last row of every key (spec/engine 8.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from casemate.inside.ion import rows
from casemate.inside.items import filled
from casemate.inside.stored import extension, fetched


class KeyFailed(Exception):
    """The key of a row cannot be evaluated."""


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `uri`, `numKeys`, `processedItemsTotal` and `droppedItemsTotal`; the rows stay in their order."""
    source = fetched(job, job["properties"]["from"])
    last: dict[bytes, int] = {}
    processed = 0
    for _, key, error in filled(ask, "expr", rows(source)):
        if error is not None:
            raise KeyFailed(error)
        # A digest, so that long keys do not fill the memory.
        last[hashlib.sha256(str(key).encode("utf-8", "surrogatepass")).digest()[:16]] = processed
        processed += 1
    result = Path(f"deduplicated{extension(job['properties']['from'], '.ion')}")
    _write(source, result, frozenset(last.values()))
    uri = ask("files.keep", paths=[str(result)])[str(result)]
    outputs = {"uri": uri, "numKeys": len(last), "processedItemsTotal": processed}
    tell({"outputs": {**outputs, "droppedItemsTotal": processed - len(last)}})


def _write(source: Path, result: Path, wanted: frozenset[int]) -> None:
    with result.open("x", encoding="utf-8") as file:
        for number, row in enumerate(rows(source)):
            if number in wanted:
                file.write(f"{row.text}\n")
