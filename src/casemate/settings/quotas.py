"""`casemate.quotas`: the quotas of namespaces and tenants, which Kestra keeps with those (spec/isolation 9.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from casemate import durations
from casemate.settings.finding import Finding
from casemate.settings.model import QuotaSetting

KEY: Final = "casemate.quotas"
_NEEDED: Final = frozenset(("duration", "limit", "behavior"))
_KNOWN: Final = _NEEDED | {"namespace", "tenant"}
_SHORTEST: Final = timedelta(minutes=1)


def quotas_of(written: object) -> tuple[QuotaSetting, ...]:
    """The entries that are some."""
    entries = written if isinstance(written, list) else []
    return tuple(quota for entry in entries if isinstance(quota := _read(entry), QuotaSetting))


def misfits(said: Mapping[str, object]) -> Iterator[Finding]:
    """Entries that are none, and several for the same place and time."""
    written = said.get(KEY, [])
    if not isinstance(written, list):
        yield Finding(code="config.type", keys=(KEY,), message="must be a list of entries")
        return
    seen = set()
    for index, entry in enumerate(written):
        quota = _read(entry)
        if isinstance(quota, str):
            yield Finding(code="config.type", keys=(KEY,), message=f"[{index}] {quota}")
            continue
        place = (quota.tenant, quota.namespace, quota.duration)
        if place in seen:
            yield Finding(keys=(KEY,), message=f"[{index}] is one more for the same place and duration")
        seen.add(place)


def _read(entry: object) -> QuotaSetting | str:
    """One entry, or why it is none."""
    if not isinstance(entry, dict) or not _NEEDED <= entry.keys() <= _KNOWN:
        return "must have duration, limit and behavior, and may have namespace and tenant"
    limit, behavior = entry["limit"], entry["behavior"]
    places = [entry.get("namespace"), entry.get("tenant")]
    length = _length(entry["duration"])
    if length is None:
        return "must have a duration of PT1M or more"
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        return "must have a limit of 1 or more"
    if behavior not in ("CANCEL", "FAIL"):
        return "must have the behavior CANCEL or FAIL"
    if any(place is not None and not isinstance(place, str) for place in places):
        return "must have texts as namespace and tenant"
    return QuotaSetting(duration=length, limit=limit, behavior=behavior, namespace=places[0], tenant=places[1])


def _length(written: object) -> timedelta | None:
    try:
        length = durations.parse(str(written))
    except durations.NotADuration:
        return None
    return length if length >= _SHORTEST else None
