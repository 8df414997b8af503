"""Stage: the script in a container of an engine, in the place of a sandbox. A stop ends it, wherever it is by then."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from casemate.containers import ContainerError, Engines, Order, labels_of
from casemate.jobs import Level
from casemate.sandbox import Command
from casemate.worker import hearing, properties
from casemate.worker.docker import Wanted
from casemate.worker.errors import TaskFailed, WorkerError
from casemate.worker.model import Job, Tools
from casemate.worker.scripts import wants_directory

if TYPE_CHECKING:
    from casemate.containers.contained import Contained

_PULLING: Final = "Execution was killed during image pull."
_STARTING: Final = "Execution was killed before starting the container."

T = TypeVar("T")


class _Stopped(WorkerError):
    """The job was stopped before its container ran."""


async def contain(job: Job, tools: Tools) -> None:
    """Run it, listen until the end, and leave the end in `job.end`. It stops itself when `job.stop` says so."""
    if job.docker is None or tools.docker is None or not isinstance(job.what, Command):
        raise TaskFailed("There is nothing to run.")
    engines = tools.docker.engines
    order = _order(job, job.docker, job.what, engines)
    try:
        running = await _launched(job, order, engines)
        job.container = running.id
        await _attended(job, running)
    except ContainerError as error:
        raise TaskFailed(str(error)) from error
    except _Stopped as stopped:
        job.log.write("WARN", str(stopped))


def _order(job: Job, wanted: Wanted, what: Command, engines: Engines) -> Order:
    place, policy = job.grant.place, job.policy
    assert policy is not None
    return Order(
        image=wanted.image,
        argv=what.argv,
        env=what.env,
        folder=job.folder,
        options=wanted.options,
        rules=wanted.rules,
        policy=policy,
        labels=labels_of(
            place.namespace, place.flow, job.grant.task.id, place.execution, place.task_run, place.attempt
        ),
        home=engines.home(),
        life=engines.life,
        wants_files=_wants_files(job),
        owner=_owner(wanted),
    )


def _owner(wanted: Wanted) -> str:
    """A worker that is not root could not remove what another user leaves in its folder."""
    mounted = wanted.options.files == "MOUNT" and os.geteuid() != 0
    if mounted and wanted.options.user:
        raise TaskFailed("`user` and `fileHandlingStrategy: MOUNT` go together only where the worker is root.")
    return f"{os.geteuid()}:{os.getegid()}" if mounted else ""


def _wants_files(job: Job) -> bool:
    """Is anything in the folder wanted when the container has ended? A further task may work there."""
    shared = job.host is not None and job.host.folder == job.folder
    return shared or wants_directory(job.properties) or bool(properties.texts(job.properties, "outputFiles"))


async def _launched(job: Job, order: Order, engines: Engines) -> Contained:
    """The container at work. Raises `ContainerError`, and `_Stopped` when the job was stopped before."""

    def say(level: str, message: str) -> None:
        job.log.write(cast("Level", level), message)

    if (found := await _unless_stopped(job, engines.resumed(order, say), _STARTING)) is not None:
        return found
    await _unless_stopped(job, engines.have_image(order, say), _PULLING)
    return await _unless_stopped(job, engines.start(order, say), _STARTING)


async def _unless_stopped(job: Job, step: Coroutine[Any, Any, T], words: str) -> T:
    """What the step gives; a stop cancels it, and what it has begun is undone. Raises `_Stopped` with these words."""
    task = asyncio.create_task(step)
    either: set[asyncio.Future[Any]] = {task, job.stop}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled() or (job.stop.done() and task.exception() is not None):
        raise _Stopped(words)
    return task.result()


async def _attended(job: Job, running: Contained) -> None:
    if job.docker is not None and not job.docker.options.wait:
        job.end = await running.left()
        return
    stopping = asyncio.create_task(_stop_when_told(job, running))
    try:
        async for line in running.events():
            hearing.hear_line(job, line)
            await job.log.pace()
        job.end = await running.end()
    except BaseException:
        await asyncio.shield(running.kill("the worker gave up", timedelta()))
        raise
    finally:
        stopping.cancel()


async def _stop_when_told(job: Job, running: Contained) -> None:
    reason = await asyncio.shield(job.stop)
    await running.kill(reason.value)
