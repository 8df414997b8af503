"""The rules of quotas: a length is a minute at least, and names one quota only (spec/isolation 9.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from casemate import durations
from casemate.flows.findings import Finding

_SHORTEST: Final = timedelta(minutes=1)


def check_quotas(values: Mapping[str, Any], _: object) -> Iterator[Finding]:
    """What is wrong with the quotas of a flow."""
    written = values.get("quotas")
    seen: set[timedelta] = set()
    for index, quota in enumerate(written if isinstance(written, list) else ()):
        length = _length(quota)
        if length is None:
            continue
        place = ("quotas", index, "duration")
        if length < _SHORTEST:
            yield Finding("the duration of a quota must be PT1M or more", place, whole=True)
        if length in seen:
            yield Finding(f"there are two quotas of {durations.printed(length)}", place, whole=True)
        seen.add(length)


def _length(quota: object) -> timedelta | None:
    """The length, unless it was refused already."""
    text = quota.get("duration") if isinstance(quota, dict) else None
    try:
        return durations.parse(text) if isinstance(text, str) else None
    except durations.NotADuration:
        return None
