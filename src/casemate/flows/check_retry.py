"""The rules of retries: a delay longer than the whole patience is a mistake (spec/engine 13.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from casemate import durations
from casemate.flows.findings import Finding

_RULES: Final = {
    "constant": (("interval", "maxDuration"),),
    "exponential": (("interval", "maxDuration"), ("interval", "maxInterval")),
    "random": (("minInterval", "maxDuration"), ("maxInterval", "maxDuration"), ("minInterval", "maxInterval")),
}
"""Which duration may not exceed which other; only the first broken rule is told."""


def check_retry(values: Mapping[str, Any], _: object) -> Iterator[Finding]:
    """What is wrong with the durations of a retry."""
    for smaller, larger in _RULES.get(values.get("type", ""), ()):
        low, high = values.get(smaller), values.get(larger)
        if isinstance(low, str) and isinstance(high, str) and durations.parse(low) > durations.parse(high):
            yield Finding(f"'{smaller}' must be less than '{larger}' but is {low}", (smaller,), whole=True)
            return
