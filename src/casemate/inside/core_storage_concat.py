"""`core.storage.Concat`: join files (spec/engine 8.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from casemate.inside.stored import copied, fetched


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `uri`, the file that holds each of `files` with the `separator` behind it."""
    properties = job["properties"]
    separator = str(properties.get("separator") or "")
    result = Path(f"concat{_extension(properties.get('extension'))}")
    with result.open("xb") as whole:
        for address in _listed(properties.get("files")):
            with fetched(job, address).open("rb") as part:
                copied(part, whole)
            whole.write(separator.encode())
    tell({"outputs": {"uri": ask("files.keep", paths=[str(result)])[str(result)]}})


def _listed(files: object) -> list[object]:
    if isinstance(files, str):
        try:
            files = json.loads(files)
        except ValueError as error:
            raise ValueError(f"Invalid `files` properties: no list and no JSON of one: {error}") from error
    if not isinstance(files, list):
        raise ValueError("Invalid `files` properties: it must be a list of addresses.")
    return files


def _extension(wanted: object) -> str:
    text = ".tmp" if wanted in (None, "") else str(wanted)
    if not re.fullmatch(r"[-\w.]{1,64}", text):
        raise ValueError(f"Invalid extension '{text[:100]}'")
    return text
