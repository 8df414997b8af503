"""Stage: let the tasks of a WorkingDirectory work in its folder, one after the other (spec/engine 4.6).

Each is a job of its own, with its own sandbox, secrets and report; the control plane says which one comes next.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog

from casemate.dispatch import LinkLost, NotHeld
from casemate.jobs import Hint, Over
from casemate.worker.errors import JobLost
from casemate.worker.model import Job, Tools

RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


async def share(job: Job, tools: Tools) -> None:
    """Carry out what comes to work in the folder until nothing more does, or this job is told to stop."""
    while not job.stop.done():
        try:
            hint = await _next(job, tools)
            if hint is None:
                return
            await tools.serve(hint, job)
        except NotHeld as error:
            raise JobLost from error
        except LinkLost:
            log.warning("folder.delayed", job=job.grant.job)
            await asyncio.sleep(RETRY_SECONDS)


async def _next(job: Job, tools: Tools) -> Hint | None:
    """The next job with a slot to work in, or None when there is none or no time for it."""
    # What waits must not keep others from working, least of all the one that it waits for.
    job.seat.leave()
    while not job.stop.done():
        match await _unless_stopped(job, tools.link.follow(job.grant.job, job.grant.fence)):
            case Hint() as hint:
                await _unless_stopped(job, job.seat.take())
                return None if job.stop.done() else hint
            case Over():
                return None
    return None


async def _unless_stopped(job: Job, wait: Any) -> Any:
    """What it gives, or None if the job is stopped first."""
    waiting = asyncio.ensure_future(wait)
    try:
        await asyncio.wait({waiting, job.stop}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        waiting.cancel()
