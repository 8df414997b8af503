"""Dates that tasks name."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from casemate.orchestrator.calls.model import Refusal


def date_of(text: str, name: str) -> datetime:
    """A zoned date-time; one without a zone is in UTC."""
    try:
        found = datetime.fromisoformat(re.sub(r"\[.*]$", "", text.strip()))
    except ValueError as error:
        raise Refusal(f"Invalid {name} '{text[:100]}': it must be a date-time with its zone.") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
