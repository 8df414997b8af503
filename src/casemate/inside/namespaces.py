"""Which files of a namespace does a task mean?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate.inside.reading import maybe, texts


def meant(properties: Mapping[str, Any], ask: Callable[..., Any]) -> list[str]:
    """The paths of the namespace that `files` match."""
    there = ask("namespace.list", namespace=maybe(properties.get("namespace")))
    return list(ask("files.select", paths=there, patterns=texts(properties.get("files"))))
