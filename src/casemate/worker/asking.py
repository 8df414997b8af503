"""A body has a question: what its manifest lists is asked of the control plane, everything else is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import structlog

from casemate.dispatch import Ask, LinkLost, NotHeld, Reply
from casemate.sandbox import Running
from casemate.worker import keeping, rows
from casemate.worker.decode import Asked
from casemate.worker.errors import JobLost, TaskFailed
from casemate.worker.model import Job, Stop, Tools

RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


async def answer(job: Job, tools: Tools, running: Running, asked: Asked) -> None:
    """Give the body what it waits for. When the job is stopped meanwhile nobody waits any more."""
    asking = asyncio.create_task(_reply(job, tools, asked))
    either: set[asyncio.Future[Any]] = {asking, job.stop}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if asking.done() and (reply := asking.result()) is not None:
            await _give(running, reply)
    finally:
        asking.cancel()


async def _give(running: Running, reply: Reply) -> None:
    if reply.error is not None:
        await running.refuse(reply.error)
    else:
        await running.answer(reply.value)


_OURS: Final[Mapping[str, Callable[[Job, Tools, Mapping[str, object]], Coroutine[Any, Any, object]]]] = {
    "files.keep": keeping.keep,
    "files.select": keeping.select,
    "rows.render": rows.rendered,
}
"""What the worker answers itself."""


async def sealed(job: Job, tools: Tools, text: str) -> object:
    """The envelope of a text that a script wants encrypted. Raises `TaskFailed` where it is refused, `JobLost`."""
    reply = await _replied(job, tools, Asked("text.seal", {"text": text}))
    if reply is None:
        raise JobLost
    if reply.error is not None:
        raise TaskFailed(reply.error)
    return reply.value


async def _reply(job: Job, tools: Tools, asked: Asked) -> Reply | None:
    """The reply to a body, None once the job is someone else's."""
    # Whatever content a body was fed, it asks no more than its task type has to.
    if job.manifest is None or asked.function not in job.manifest.asks:
        return Reply(error=f"This task must not ask for '{asked.function[:100]}'.")
    return await _replied(job, tools, asked)


async def _replied(job: Job, tools: Tools, asked: Asked) -> Reply | None:
    """The same for whoever asks. A control plane that is away is waited for."""
    while True:
        try:
            if asked.function in _OURS:
                return Reply(await _OURS[asked.function](job, tools, asked.arguments))
            return await tools.link.ask(job.grant.job, job.grant.fence, Ask(asked.function, asked.arguments))
        except TaskFailed as failure:
            return Reply(error=str(failure))
        except (NotHeld, JobLost):
            job.stop_for(Stop.LOST)
            return None
        except LinkLost:
            log.warning("question.delayed", job=job.grant.job)
            await asyncio.sleep(RETRY_SECONDS)
