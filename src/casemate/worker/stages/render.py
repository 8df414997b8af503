"""Stage: fill in the templates of a task, in a thread and within a budget of steps and seconds: tenants wrote them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from casemate import durations
from casemate.dispatch import Ask, Reply
from casemate.expressions import Budget, ExpressionError, as_json, render_typed
from casemate.expressions import render as rendered
from casemate.worker import properties
from casemate.worker.errors import TaskFailed
from casemate.worker.model import Job, Tools
from casemate.worker.scripts import OUTPUT, WORK
from casemate.worker.world import JobWorld

SECONDS: Final = 30.0
"""What rendering one task may take, answers of the control plane included."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A task with its templates filled in."""

    properties: Mapping[str, object]
    timeout: str | None
    log_level: str | None


class Scope(Mapping[str, object]):
    """The variables of the task run, behind a few of the worker's own. They may be made at first use."""

    def __init__(self, own: Mapping[str, object], variables: Mapping[str, object]) -> None:
        self._own = own
        self._variables = variables

    def __getitem__(self, name: str) -> object:
        return self._own[name] if name in self._own else self._variables[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from (name for name in self._variables if name not in self._own)

    def __len__(self) -> int:
        return len(set(self._own) | set(self._variables))

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._variables


async def render(job: Job, tools: Tools) -> None:
    """Render properties, timeout and log level. A template that fails ends the job with Kestra's text."""
    loop = asyncio.get_running_loop()

    async def ask(question: Ask) -> Reply:
        return await tools.link.ask(job.grant.job, job.grant.fence, question)

    world = JobWorld(job.grant.secrets, job.mask, ask, loop, tools.zone, tools.jq)
    try:
        filled = await loop.run_in_executor(tools.renderers, partial(_fill_in, job, world, tools))
    except ExpressionError as error:
        raise TaskFailed(str(error)) from error
    finally:
        # What a template has opened must not be read in the message that it failed with.
        job.mask.add_all(job.grant.opened)
    job.properties = filled.properties
    job.log.keep_from(filled.log_level)
    job.timeout = _duration(filled.timeout)


def _typed(job: Job, tools: Tools) -> frozenset[str]:
    """The properties whose value keeps its type."""
    manifest = tools.catalog.find(job.grant.task.canonical)
    if manifest is None:
        return frozenset()
    return frozenset(name for name, schema in manifest.schema.properties.items() if schema.typed)


def _fill_in(job: Job, world: JobWorld, tools: Tools) -> Rendered:
    until = time.monotonic() + SECONDS
    budget = Budget(expired=lambda: job.stop.done() or time.monotonic() > until)
    typed = _typed(job, tools)
    scope = Scope({"workingDir": WORK, "outputDir": OUTPUT}, job.grant.variables)
    fill = partial(rendered, variables=scope, world=world, recursive=tools.recursive, budget=budget)
    task = job.grant.task

    def keep(value: object) -> object:
        return as_json(render_typed(value, scope, world, budget=budget)) if isinstance(value, str) else fill(value)

    return Rendered(
        properties={name: keep(value) if name in typed else fill(value) for name, value in task.properties.items()},
        timeout=None if task.timeout is None else properties.text(fill(task.timeout)),
        log_level=None if task.log_level is None else properties.text(fill(task.log_level)),
    )


def _duration(text: str | None) -> timedelta | None:
    if not text:
        return None
    try:
        return durations.parse(text)
    except durations.NotADuration as error:
        raise TaskFailed(f"Invalid timeout '{text}': {error}") from error
