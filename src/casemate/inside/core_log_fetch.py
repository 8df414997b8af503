"""`core.log.Fetch`: the log entries of an execution as a file of rows (spec/engine 8.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from casemate.inside.ion_writing import Timestamp, ion_text
from casemate.inside.reading import maybe, texts


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `size`, how many entries there are, and `uri`."""
    size = 0
    result = Path("logs.ion")
    with result.open("x", encoding="utf-8", errors="replace") as file:
        for entry in _entries(job["properties"], ask):
            file.write(ion_text({**entry, "timestamp": Timestamp(entry["timestamp"])}) + "\n")
            size += 1
    tell({"outputs": {"size": size, "uri": ask("files.keep", paths=[str(result)])[str(result)]}})


def _entries(properties: Mapping[str, Any], ask: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    wanted = {name: maybe(properties.get(name)) for name in ("namespace", "flowId", "executionId", "level")}
    tasks, after = texts(properties.get("tasksId")), None
    while True:
        answer = ask("logs.fetch", **wanted, tasksId=tasks, after=after)
        yield from answer["entries"]
        after = answer["after"]
        if after is None:
            return
