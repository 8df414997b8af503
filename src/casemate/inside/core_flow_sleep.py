"""`core.flow.Sleep`: wait for a while (spec/engine 4)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

_ISO = re.compile(
    r"(?P<sign>[-+]?)P(?:(?P<days>[-+]?\d+)D)?"
    r"(?:T(?:(?P<hours>[-+]?\d+)H)?(?:(?P<minutes>[-+]?\d+)M)?(?:(?P<seconds>[-+]?\d+(?:[.,]\d{0,9})?)S)?)?",
    re.IGNORECASE,
)
_SECONDS_IN = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


def run(job: Mapping[str, Any], _tell: Callable[[Mapping[str, object]], None]) -> None:
    """Wait for `duration`, an ISO-8601 duration or a number of seconds."""
    time.sleep(max(0.0, _seconds(str(job["properties"]["duration"]))))


def _seconds(duration: str) -> float:
    try:
        return float(duration)
    except ValueError:
        pass
    found = _ISO.fullmatch(duration)
    if found is None or not any(found[unit] for unit in _SECONDS_IN):
        raise ValueError(f"Text cannot be parsed to a Duration: {duration}")
    amount = sum(float((found[unit] or "0").replace(",", ".")) * length for unit, length in _SECONDS_IN.items())
    return -amount if found["sign"] == "-" else amount
