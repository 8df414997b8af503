"""Stage: start the task's own clock. It counts from the claim, so that rendering and fetching take part in it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from casemate.worker.model import Job, Stop, Tools


async def clock(job: Job, _tools: Tools) -> None:
    """Stop the job when its time is over; the earlier of the task's timeout and the grant's deadline counts."""
    loop = asyncio.get_running_loop()
    if job.timeout is not None:
        due = job.claimed + job.timeout.total_seconds()
        job.alarms.append(loop.call_at(due, job.stop_for, Stop.TIMEOUT))
    if job.grant.deadline is not None:
        left = (job.grant.deadline - datetime.now(UTC)).total_seconds()
        job.alarms.append(loop.call_later(max(left, 0), job.stop_for, Stop.TIMEOUT))
