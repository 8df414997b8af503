"""Adding to dates: flows may ask for delays that no calendar of ours holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_LAST = datetime.max.replace(tzinfo=UTC)


def after(date: datetime, wait: timedelta) -> datetime:
    """The date so much later; beyond the year 9999 the last one there is, for Kestra's calendar goes on."""
    try:
        return date + wait
    except OverflowError:
        return _LAST if wait > timedelta() else date


def times(wait: timedelta, factor: int) -> timedelta:
    """A wait so many times; the longest one there is if it would be longer."""
    try:
        return wait * factor
    except OverflowError:
        return timedelta.max if factor > 0 else timedelta()
