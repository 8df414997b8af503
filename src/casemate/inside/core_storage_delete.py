"""`core.storage.Delete`: delete a file (spec/engine 8.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import flag


class FileMissing(Exception):
    """There is no such file."""


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `uri` and `deleted`; with `errorOnMissing` a file that is not there is a failure."""
    properties = job["properties"]
    uri = str(properties["uri"]).strip()
    deleted = ask("storage.delete", uri=uri)
    if not deleted and flag(properties.get("errorOnMissing"), default=False):
        raise FileMissing(f"Unable to find file '{uri}'")
    tell({"outputs": {"uri": uri, "deleted": deleted}})
