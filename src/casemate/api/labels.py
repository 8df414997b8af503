"""Labels given with a request: `labels=key:value`, repeatable (spec/engine 2.5)."""

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
    refused = [key for key in found if key.startswith(_SYSTEM) and key != _ALLOWED]
    if refused:
        raise Refused(_reserved(key, found[key]) for key in refused)
    return tuple(Label(key, value) for key, value in found.items())


def _divided(text: str) -> tuple[str, str]:
    key, _, value = text.partition(":")
    if not key.strip() or not value.strip():
        raise Declined(422, f"Invalid labels format: {text[:200]!r} is not key:value")
    return key, value


def _reserved(key: str, value: str) -> Problem:
    message = f"System labels can only be set by Kestra itself, offending label: {key}={value}"
    return Problem(code="label-reserved", message=message, path="labels")
