"""One granted job from claim to report: the stages in their order, and what stops them.

claim -> templated -> permit -> place -> render -> clock -> guard -> files -> build -> run -> collect -> report

A script with the Docker task runner has `contain` in the place of `run`.

The job of a WorkingDirectory holds a folder for other jobs, and runs nothing itself:

claim -> permit -> render -> clock -> restore -> files -> share -> collect -> keep -> report

Any stage may end the job as FAILED. A timeout, a kill or a newer fence may come at any moment: the sandbox goes first,
then the report is made, or none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from casemate.durations import printed
from casemate.jobs import Finished, Grant, Logged, LogLine, Metric
from casemate.masking import Mask
from casemate.sandbox import TEMPORARY, folders
from casemate.worker import properties, verdict
from casemate.worker.errors import JobLost, TaskFailed, WorkerError
from casemate.worker.logbook import LogBook
from casemate.worker.logfile import LogFile
from casemate.worker.model import Job, Stage, Stop, Tools
from casemate.worker.reports import EndState, deliver, finished
from casemate.worker.seats import Seat
from casemate.worker.stages.build import build
from casemate.worker.stages.cache import keep, restore
from casemate.worker.stages.clock import clock
from casemate.worker.stages.collect import collect
from casemate.worker.stages.contain import contain
from casemate.worker.stages.files import files
from casemate.worker.stages.guard import guard
from casemate.worker.stages.permit import permit
from casemate.worker.stages.place import place
from casemate.worker.stages.render import render
from casemate.worker.stages.run import run
from casemate.worker.stages.share import share
from casemate.worker.stages.templated import templated

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The stages of one kind of job. `middle` ends cleanly by itself when it is told to stop; a stop cancels others."""

    before: tuple[Stage, ...]
    middle: Stage
    after: tuple[Stage, ...]
    judge: Callable[[Job], verdict.Verdict]


class Stopped(WorkerError):
    """The job was stopped; `job.stop` says why."""


def accept(grant: Grant, folder: Path, tools: Tools, seat: Seat, host: Job | None = None) -> Job:
    """A job for a grant; its working directory will be `folder`, which may be that of its `host`."""
    # What one task leaves in a shared folder may hold its secrets; the next one must not print them either.
    mask = Mask(style=tools.masking) if host is None else host.mask
    mask.follow(grant.opened)
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[Stop] = loop.create_future()
    file = LogFile(folder.parent, grant) if grant.task.log_to_file else None

    async def send(lines: tuple[LogLine, ...], metrics: tuple[Metric, ...]) -> None:
        if file is not None:
            await asyncio.to_thread(file.append, lines)
            lines = ()
        if not lines and not metrics:
            return
        logged = Logged(job=grant.job, fence=grant.fence, lines=lines, metrics=metrics)
        if not await deliver(tools.link, logged):
            job.stop_for(Stop.LOST)

    book = LogBook(send, mask)
    job = Job(
        grant=grant,
        folder=folder,
        places=tools.sandboxes.places(folder),
        hidden={TEMPORARY},
        claimed=loop.time(),
        stop=stop,
        mask=mask,
        log=book,
        seat=seat,
        host=host,
        file=file,
    )
    if host is not None:
        host.stop.add_done_callback(job.host_stopped)
    return job


async def decline(grant: Grant, reason: OSError, tools: Tools) -> None:
    """Report the end of a job for which this machine has no place: a full disk, a folder that is gone."""
    log.error("job.declined", job=grant.job, reason=str(reason))
    message = f"The worker cannot make a working directory: {reason.strerror or type(reason).__name__}"
    line = LogLine(at=datetime.now(UTC), level="ERROR", message=message)
    await deliver(tools.link, Finished(job=grant.job, fence=grant.fence, state="FAILED", lines=(line,)))


async def attend(job: Job, tools: Tools) -> None:
    """Carry a job out and report its end; nothing of it is left on this machine afterwards."""
    flushing = asyncio.create_task(job.log.keep_flushing())
    try:
        state = await _carry_out(job, tools)
        await job.log.settle()
        if state is not None:
            await deliver(tools.link, await finished(job, state, tools.link))
    finally:
        flushing.cancel()
        job.close()
        await _tidy(job)


async def _tidy(job: Job) -> None:
    """Nothing is left of a job; in the folder of another one nothing of what the worker put there for it."""
    if job.host is None or job.folder != job.host.folder:
        await folders.remove_promptly(job.folder)
    else:
        await asyncio.to_thread(_take_out, job)


def _take_out(job: Job) -> None:
    # The text of a script has the secrets of its task in it, and the next task is not to read them.
    folders.open_up(job.folder)
    for name in job.hidden:
        folders.discard(job.folder, name)


async def _carry_out(job: Job, tools: Tools) -> EndState | None:
    """Go through the stages; the state to report, or None when nobody would hear it."""
    try:
        course = SHARING if job.grant.shares else RUNNING
        await _unless_stopped(course.before, job, tools)
        await course.middle(job, tools)
        await _unless_stopped(course.after, job, tools)
        return course.judge(job)
    except TaskFailed as failure:
        _write_down(job, failure)
        return "FAILED"
    except JobLost:
        job.stop_for(Stop.LOST)
        return None
    except Stopped:
        return _stopped(job)
    except Exception as error:  # the top of the job's loop: one broken job must not take the worker with it
        log.exception("job.crashed", job=job.grant.job)
        job.outputs = None
        job.log.write("ERROR", f"The worker met an error of its own: {type(error).__name__}: {error}")
        return "FAILED"


async def _unless_stopped(stages: tuple[Stage, ...], job: Job, tools: Tools) -> None:
    """Take these steps; a stop cancels them at whatever they wait for. Raises `Stopped`."""
    task = asyncio.create_task(_in_order(stages, job, tools))
    either: set[asyncio.Future[Any]] = {task, job.stop}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
    await asyncio.wait({task})
    failure = None if task.cancelled() else task.exception()
    if job.stop.done():
        raise Stopped
    if failure is not None:
        raise failure


async def _in_order(stages: tuple[Stage, ...], job: Job, tools: Tools) -> None:
    for stage in stages:
        await stage(job, tools)


def _held(_job: Job) -> verdict.Verdict:
    """How its tasks ended is for the engine to judge."""
    return "SUCCESS"


def _judge(job: Job) -> verdict.Verdict:
    if job.end is None:
        raise TaskFailed("The task did not end.")
    if job.script is None:
        state, messages = verdict.of_body(job.end, failed=job.failed)
    else:
        state, messages = verdict.of_script(job.end, warn=job.complained and _wants_warning(job))
    if messages:
        raise TaskFailed(*messages)
    for words in verdict.limits(job.end):
        job.log.write("WARN", words)
    return state


def _wants_warning(job: Job) -> bool:
    # Only what the flow itself says counts, not the default of the task type: decision 0003.
    written = "warningOnStdErr" not in job.grant.task.defaulted
    return written and properties.flag(job.properties, "warningOnStdErr", default=False)


def _write_down(job: Job, failure: TaskFailed) -> None:
    for message in failure.messages:
        job.log.write("ERROR", message)
    if failure.trace:
        job.log.write("TRACE", failure.trace)
    for message in job.denials.messages() if job.denials is not None else ():
        job.log.write("ERROR", message)


def _stopped(job: Job) -> EndState | None:
    job.outputs = None
    match job.stop.result():
        case Stop.LOST:
            return None
        case Stop.KILLED:
            return "KILLED"
        case Stop.TIMEOUT:
            allowed = printed(job.timeout) if job.timeout is not None else "its deadline"
            job.log.write("ERROR", f"Timeout after {allowed}")
            job.log.write(
                "ERROR", f"TimeoutException: task '{job.grant.task.id}' was stopped, nothing of it runs any more"
            )
            return "FAILED"


async def _work(job: Job, tools: Tools) -> None:
    """Behind our own walls, or in the container that the task asks for."""
    await (run if job.docker is None else contain)(job, tools)


RUNNING: Final = Course(
    before=(templated, permit, place, render, clock, guard, files, build), middle=_work, after=(collect,), judge=_judge
)
SHARING: Final = Course(
    before=(permit, render, clock, restore, files), middle=share, after=(collect, keep), judge=_held
)
