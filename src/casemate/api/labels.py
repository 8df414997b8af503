"""Labels given with a request: `labels=key:value`, repeatable, or `{key, value}` (spec/engine 2.5)."""

from __future__ import annotations

from collections.abc import Iterable

from casemate.api.errors import Declined
from casemate.errors import Problem, Refused
from casemate.flows import Label

_SYSTEM = "system."
_ALLOWED = "system.correlationId"


def given(texts: Iterable[str]) -> tuple[Label, ...]:
    """The labels; the first colon divides, so that a value may hold addresses. Later ones replace earlier ones.

    Raises `Declined` for what is no label, `Refused` for labels that only the system sets.
    """
    found = dict(_divided(text) for text in texts)
    return unreserved(Label(key, value) for key, value in found.items())


def unreserved(labels: Iterable[Label]) -> tuple[Label, ...]:
    """These labels; raises `Refused` for those that only the system sets."""
    wanted = tuple(labels)
    refused = [label for label in wanted if label.key.startswith(_SYSTEM) and label.key != _ALLOWED]
    if refused:
        raise Refused(_reserved(label) for label in refused)
    return wanted


def _divided(text: str) -> tuple[str, str]:
    key, _, value = text.partition(":")
    if not key.strip() or not value.strip():
        raise Declined(422, f"Invalid labels format: {text[:200]!r} is not key:value")
    return key, value


def _reserved(label: Label) -> Problem:
    message = f"System labels can only be set by Kestra itself, offending label: {label.key}={label.value}"
    return Problem(code="label-reserved", message=message, path="labels")
