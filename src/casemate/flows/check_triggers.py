"""The rules of triggers: cron expressions, webhooks, time windows and filters (spec/engine 13.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from casemate.flows.cron import refusal
from casemate.flows.findings import Finding

Values: TypeAlias = Mapping[str, Any]

_LISTED: Final = ("IN", "NOT_IN")
_NAMES: Final = {
    "window": "a window",
    "windowAdvance": "a window advance",
    "deadline": "a deadline",
    "startTime": "a start time",
    "endTime": "an end time",
}
_UNWANTED: Final = {
    "DAILY_TIME_DEADLINE": ("window", "windowAdvance", "startTime", "endTime"),
    "DAILY_TIME_WINDOW": ("window", "windowAdvance", "deadline"),
    "DURATION_WINDOW": ("deadline", "startTime", "endTime"),
    "SLIDING_WINDOW": ("deadline", "startTime", "endTime", "windowAdvance"),
}
_WANTED: Final = {"DAILY_TIME_DEADLINE": ("deadline",), "DAILY_TIME_WINDOW": ("startTime", "endTime")}
_WATCHING: Final = "io.kestra.plugin.core.condition.MultipleCondition"


def check_schedule(values: Values, _: object) -> Iterator[Finding]:
    """The cron expression of a Schedule means something."""
    cron = values.get("cron")
    if isinstance(cron, str) and (cause := refusal(cron, seconds=values.get("withSeconds") is True)):
        remedy = "five fields: minute, hour, day of month, month, day of week"
        remedy = "six fields, the first one for seconds" if values.get("withSeconds") is True else remedy
        yield Finding(f"invalid cron expression '{cron}': {cause}", ("cron",), remedy=remedy)


def check_webhook(values: Values, grammar: Any) -> Iterator[Finding]:
    """A webhook is one event: it cannot wait for several."""
    conditions = values.get("conditions")
    for index, condition in enumerate(conditions if isinstance(conditions, list) else ()):
        if isinstance(condition, dict) and grammar.catalog.canonical(condition["type"]) == _WATCHING:
            text = "invalid webhook: conditions of type MultipleCondition are not supported"
            yield Finding(text, ("conditions", index), whole=True)
            return


def check_filter(values: Values, _: object) -> Iterator[Finding]:
    """A filter has either one value or several, as its type wants; only the first fault is told."""
    kind = values.get("type")
    if not isinstance(kind, str):
        return
    wanted, unwanted = ("values", "value") if kind in _LISTED else ("value", "values")
    if kind in _LISTED and values.get(unwanted) is not None:
        yield Finding(f"`{unwanted}` must be null for type {kind}", (unwanted,), whole=True)
    elif values.get(wanted) is None:
        yield Finding(f"`{wanted}` cannot be null for type {kind}", whole=True)
    elif values.get(unwanted) is not None:
        yield Finding(f"`{unwanted}` must be null for type {kind}", (unwanted,), whole=True)


def check_time_window(values: Values, _: object) -> Iterator[Finding]:
    """A time window has the bounds that its type has, and no others."""
    kind = values.get("type")
    if not isinstance(kind, str):
        return
    start = f"Time window of type `{kind}` "
    unwanted = [name for name in _UNWANTED[kind] if values.get(name) is not None]
    if kind == "DAILY_TIME_WINDOW" and unwanted and values.get("startTime") is not None:
        unwanted = [*(name for name in unwanted if name != "deadline"), "deadline"]  # Kestra tells it of any of them
    for name in unwanted:
        yield Finding(f"{start}cannot have {_NAMES[name]}.", (name,), whole=True)
    missing = [name for name in _WANTED.get(kind, ()) if values.get(name) is None]
    for name in missing if not unwanted else ():
        yield Finding(f"{start}must have {_NAMES[name]}.", whole=True)
