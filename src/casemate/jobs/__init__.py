"""What travels between control plane and worker."""

from casemate.jobs.model import (
    Finished,
    Grant,
    Heartbeat,
    Hint,
    Kill,
    Level,
    Logged,
    LogLine,
    Metric,
    Over,
    Place,
    Report,
    Stale,
)

__all__ = [
    "Finished",
    "Grant",
    "Heartbeat",
    "Hint",
    "Kill",
    "Level",
    "LogLine",
    "Logged",
    "Metric",
    "Over",
    "Place",
    "Report",
    "Stale",
]
