"""`core.storage.PurgeCurrentExecutionFiles`: delete every file of the execution (spec/engine 8.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def run(_job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `uris`, all that was deleted, folders too."""
    tell({"outputs": {"uris": ask("storage.purge")}})
