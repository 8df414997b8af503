"""What a worker says about a job at its end, and how it makes sure that it was heard."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

import structlog

from casemate.dispatch import LinkLost, WorkerLink
from casemate.jobs import Finished, Report
from casemate.worker import outputs, verdict
from casemate.worker.model import Job

EndState = Literal["SUCCESS", "WARNING", "FAILED", "KILLED"]

RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


def finished(job: Job, state: EndState) -> Finished:
    """The end of a job with all that was not sent yet; outputs that are too large turn it into a failure."""
    refused = job.gathered.refused or _overweight(job.outputs)
    if refused is not None:
        job.log.write("ERROR", outputs.too_large(refused))
        job.outputs, state = None, "FAILED"
    lines, metrics = job.log.take()
    return Finished(
        job=job.grant.job,
        fence=job.grant.fence,
        state=state,
        outputs=job.outputs,
        isolation=verdict.report(job.end.isolation) if job.end else None,
        lines=lines,
        metrics=metrics,
    )


async def deliver(link: WorkerLink, report: Report) -> bool:
    """Hand a report over; a control plane that is away is waited for, as the result exists nowhere else.

    False: nobody wants to hear it any more.
    """
    while True:
        try:
            return await link.report(report)
        except LinkLost:
            log.warning("report.delayed", job=report.job)
            await asyncio.sleep(RETRY_SECONDS)


def _overweight(values: object) -> int | None:
    size = outputs.weight(values) if values is not None else 0
    return size if size > outputs.LARGEST else None
