"""Does a worker hold a job? Every word of a worker is checked against the row."""

from __future__ import annotations

from casemate.identifiers import Fence, JobId, WorkerId
from casemate.store import Job, Tx, jobs


def held(tx: Tx, worker: WorkerId, job: JobId, fence: Fence) -> Job | None:
    """The job, if this worker holds it under this fence."""
    stored = jobs.get(tx, job)
    mine = stored is not None and stored.held and stored.worker == worker and stored.fence == fence
    return stored if mine else None
