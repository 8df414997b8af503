"""What a worker says about a job at its end, and how it makes sure that it was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Literal

import structlog

from casemate.dispatch import LinkLost, NotHeld, WorkerLink
from casemate.errors import CasemateError
from casemate.jobs import Finished, LogLine, Report
from casemate.sandbox import End
from casemate.worker import outputs, verdict
from casemate.worker.logfile import LogFile
from casemate.worker.model import Job

EndState = Literal["SUCCESS", "WARNING", "FAILED", "KILLED"]

RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


async def finished(job: Job, state: EndState, link: WorkerLink) -> Finished:
    """The end of a job with all that was not sent yet; outputs that are too large turn it into a failure."""
    end = _end(job, state)
    return end if job.file is None else await _filed(end, job.file, link)


def _end(job: Job, state: EndState) -> Finished:
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
        isolation=_isolation(job, job.end) if job.end else None,
        lines=lines,
        metrics=metrics,
    )


def _isolation(job: Job, end: End) -> Mapping[str, object]:
    # It names hosts and paths that the task has asked for, and a task can put a secret there.
    complained = job.denials.entries() if job.denials is not None else ()
    covered = job.mask.cover_all(verdict.report(end.isolation, complained))
    assert isinstance(covered, dict)
    if "touched" in covered and job.manifest is not None:
        covered["learned"] = {"type": job.manifest.type, "namespace": job.grant.place.namespace}
    return covered


async def _filed(end: Finished, file: LogFile, link: WorkerLink) -> Finished:
    """The same end with its log entries in the internal storage."""
    await asyncio.to_thread(file.append, end.lines)
    try:
        return replace(end, lines=(), log_file=await _stored(end, file, link))
    except NotHeld:
        return end  # nobody hears it any more
    except (CasemateError, OSError) as error:
        line = LogLine(at=datetime.now(UTC), level="ERROR", message=f"Unable to store the log file: {error}")
        return replace(end, lines=(line,))


async def _stored(end: Finished, file: LogFile, link: WorkerLink) -> str:
    while True:
        try:
            return await link.put(end.job, end.fence, file.name, file.content())
        except LinkLost:
            log.warning("log_file.delayed", job=end.job)
            await asyncio.sleep(RETRY_SECONDS)


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
