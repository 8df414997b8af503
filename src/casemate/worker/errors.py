"""What can go wrong with one attempt, from the worker's point of view."""

from __future__ import annotations

from casemate.errors import CasemateError


class WorkerError(CasemateError):
    """The worker could not do its work."""


class TaskFailed(WorkerError):
    """The attempt ends FAILED. Every text of `messages` becomes an ERROR entry, `trace` a TRACE entry after them."""

    def __init__(self, *messages: str, trace: str = "") -> None:
        self.messages = messages
        self.trace = trace
        super().__init__("\n".join(messages))


class Malformed(WorkerError):
    """What came out of a sandbox is not what was agreed."""


class JobLost(WorkerError):
    """The job belongs to someone else now: whatever this worker says about it is no longer heard."""
