"""`core.storage.Reverse`: the lines of a file, the last one first (spec/engine 8.3)."""

from __future__ import annotations

import codecs
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from casemate.inside.stored import extension, fetched


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `uri`. The file is read backwards, so only the places of its lines are in memory."""
    properties = job["properties"]
    charset = _charset(properties.get("charset"))
    separator = str(properties.get("separator") or "\n")
    result = Path(f"reversed{extension(properties['from'])}")
    with result.open("x", encoding=charset, errors="surrogateescape", newline="") as reversed_lines:
        for line in _backwards(_plain(fetched(job, properties["from"]), charset)):
            reversed_lines.write(line + separator)
    tell({"outputs": {"uri": ask("files.keep", paths=[str(result)])[str(result)]}})


def _charset(wanted: object) -> str:
    name = str(wanted or "UTF-8")
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(f"Unsupported charset '{name[:100]}'") from error


def _plain(source: Path, charset: str) -> Path:
    """The file as UTF-8, where a line end is one byte that can be nothing else."""
    if charset == "utf-8":
        return source
    copy = Path(".plain")
    with (
        source.open(encoding=charset, errors="surrogateescape", newline="") as given,
        copy.open("x", encoding="utf-8", errors="surrogateescape", newline="") as plain,
    ):
        while piece := given.read(1 << 16):
            plain.write(piece)
    return copy


def _backwards(source: Path) -> Iterator[str]:
    starts = array("Q", [0])
    with source.open("rb") as file:
        for line in file:
            starts.append(starts[-1] + len(line))
        for start, end in zip(reversed(starts[:-1]), reversed(starts[1:]), strict=True):
            file.seek(start)
            line = file.read(end - start).removesuffix(b"\n").removesuffix(b"\r")
            yield line.decode("utf-8", "surrogateescape")
