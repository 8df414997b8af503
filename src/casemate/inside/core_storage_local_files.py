"""`core.storage.LocalFiles`: make files in the working directory, or take files from it (spec/engine 8.3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from casemate.inside.reading import mapping, texts
from casemate.inside.stored import copied, fetched

_STORED = ("kestra://", "file://")


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Make the files of `inputs`, then take those that `outputs` match: `uris`, path to address."""
    properties = job["properties"]
    for name, content in mapping(properties.get("inputs")).items():
        _make(job, Path(_relative(name)), content)
    wanted = texts(properties.get("outputs"))
    tell({"outputs": {"uris": ask("files.keep", globs=wanted, move=True) if wanted else {}}})


def _relative(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise ValueError("The path to resolve must be a relative path inside the current working directory.")
    return str(path)


def _make(job: Mapping[str, Any], path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # "x": a file that is there already is somebody's.
    with path.open("xb") as file:
        if isinstance(content, str) and content.startswith(_STORED):
            with fetched(job, content).open("rb") as source:
                copied(source, file)
        else:
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
            file.write(text.encode("utf-8", "replace"))
