"""What the tasks that keep states have in common: which state they mean, and what is said when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casemate.inside.reading import flag, maybe


def meant(properties: Mapping[str, Any]) -> dict[str, object]:
    """The arguments of a question that name the state."""
    return {
        "name": maybe(properties.get("name")) or "default",
        "namespace": flag(properties.get("namespace"), default=False),
        "taskrunValue": flag(properties.get("taskrunValue"), default=True),
    }


def check(properties: Mapping[str, Any], key: str, *, found: bool) -> None:
    """FileNotFoundError: the state is not there although the task needs it."""
    if not found and flag(properties.get("errorOnMissing"), default=False):
        raise FileNotFoundError(f"State '{key}' doesn't exist")
