"""Stage: fill in the templates of a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from casemate import durations
from casemate.catalog import Schema
from casemate.expressions import ExpressionError
from casemate.flows import Task
from casemate.worker import properties
from casemate.worker.errors import TaskFailed
from casemate.worker.model import Job, Tools
from casemate.worker.templates import Templates, are_plain, templates


@dataclass(frozen=True, slots=True)
class Rendered:
    """A task with its templates filled in."""

    properties: Mapping[str, object]
    timeout: str | None
    log_level: str | None


async def render(job: Job, tools: Tools) -> None:
    """Render properties, timeout and log level. A template that fails ends the job with Kestra's text."""
    task = job.grant.task
    manifest = tools.catalog.find(task.canonical, task.version)
    schemas = {} if manifest is None else manifest.schema.properties
    # The thread also learns how the secrets that are known by now may be written.
    plain = not job.mask and are_plain(task.properties, task.timeout, task.log_level)
    try:
        filled = await templates(job, tools, lambda given: _fill_in(task, schemas, given), at_once=plain)
    except ExpressionError as error:
        raise TaskFailed(str(error)) from error
    job.properties = filled.properties
    job.log.keep_from(filled.log_level)
    job.timeout = _duration(filled.timeout)


def _fill_in(task: Task, schemas: Mapping[str, Schema], given: Templates) -> Rendered:
    return Rendered(
        properties={name: _filled(value, schemas.get(name), given) for name, value in task.properties.items()},
        timeout=None if task.timeout is None else properties.text(given.fill(task.timeout)),
        log_level=None if task.log_level is None else properties.text(given.fill(task.log_level)),
    )


def _filled(value: object, schema: Schema | None, given: Templates) -> object:
    if schema is not None and schema.late:
        return value
    if schema is not None and schema.typed and isinstance(value, str):
        return given.typed(value)
    return given.fill(value)


def _duration(text: str | None) -> timedelta | None:
    if not text:
        return None
    try:
        return durations.parse(text)
    except durations.NotADuration as error:
        raise TaskFailed(f"Invalid timeout '{text}': {error}") from error
