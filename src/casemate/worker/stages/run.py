"""Stage: the launch itself. Lines and messages stream out while it runs; a stop ends it with all it started."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Final

from casemate.sandbox import Launch, LaunchFailed, Line, Running, Told, ZygoteLost
from casemate.worker import asking, decode, hearing
from casemate.worker.errors import Malformed, TaskFailed
from casemate.worker.model import Job, Tools

GRACE: Final = timedelta(seconds=5)
"""Between the polite signal and the end."""


async def run(job: Job, tools: Tools) -> None:
    """Launch, listen until the end, and leave the end in `job.end`. It stops itself when `job.stop` says so."""
    running = await _launched(job, tools)
    stopping = asyncio.create_task(_stop_when_told(job, running))
    listening = asyncio.create_task(_listen(job, tools, running))
    try:
        await listening
        job.end = await running.end()
    except BaseException:
        listening.cancel()
        await running.kill("the worker gave up")
        await running.end()
        raise
    finally:
        stopping.cancel()


async def _launched(job: Job, tools: Tools) -> Running:
    if job.policy is None or job.what is None:
        raise TaskFailed("There is nothing to run.")
    launch = Launch(name=job.grant.job, policy=job.policy, work=job.folder, what=job.what)
    try:
        return await tools.sandboxes.launch(launch)
    except (LaunchFailed, ZygoteLost) as error:
        # Never outside of the walls: without a sandbox the task does not run at all.
        raise TaskFailed(f"The sandbox could not be started: {error}") from error


async def _stop_when_told(job: Job, running: Running) -> None:
    reason = await asyncio.shield(job.stop)
    with contextlib.suppress(ZygoteLost):
        await running.kill(reason.value, GRACE)


async def _listen(job: Job, tools: Tools, running: Running) -> None:
    async for event in running.events():
        match event:
            case Line():
                hearing.hear_line(job, event)
            case Told():
                await _hear_body(job, tools, running, event)
        await job.log.pace()


async def _hear_body(job: Job, tools: Tools, running: Running, told: Told) -> None:
    """Take in what a body says, and answer its question, if it has one."""
    try:
        said = decode.from_body(told.message)
        hearing.take(job, said, told.at)
    except Malformed as error:
        job.log.write("WARN", f"The task said something that is not understood: {error}", told.at)
        if "ask" in told.message:
            await running.refuse(f"The question is not understood: {error}")
        return
    if said.question is not None:
        await asking.answer(job, tools, running, said.question)
