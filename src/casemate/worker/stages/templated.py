"""Stage: a task that a template writes down takes the place of the one that holds the template (spec/engine 8.1).

From here on everything is judged by what it really is: its type, its policy, what it may ask. Policies and plugin
defaults reach it as they would have, had it been written into the flow: none must be escaped by writing a template.
"""

from __future__ import annotations

from dataclasses import replace

from casemate.catalog import Catalog, Role
from casemate.documents import examine
from casemate.expressions import ExpressionError
from casemate.flows import TEMPLATED, Task, parse_task
from casemate.jobs import Grant
from casemate.worker import properties
from casemate.worker.errors import TaskFailed
from casemate.worker.model import Job, Tools
from casemate.worker.templates import templates


async def templated(job: Job, tools: Tools) -> None:
    """Render `spec` and put the task that it says in place; its own templates are filled in after that."""
    outer = job.grant.task
    if outer.canonical != TEMPLATED:
        return
    try:
        spec = await templates(job, tools, lambda given: given.fill(outer.properties.get("spec")))
    except ExpressionError as error:
        raise TaskFailed(str(error)) from error
    inner = _read(properties.text(spec), tools.catalog, job.grant)
    task = replace(inner, id=outer.id, timeout=outer.timeout, log_level=outer.log_level, log_to_file=outer.log_to_file)
    job.grant = replace(job.grant, task=task)


def _read(text: str, catalog: Catalog, grant: Grant) -> Task:
    reading = examine(text)
    found = reading.document
    task = reading.problems if found is None else parse_task(found, catalog, grant.laws, grant.refs)
    if isinstance(task, tuple) or reading.problems:
        wrong = task if isinstance(task, tuple) else reading.problems
        raise TaskFailed(*(problem.printed() if problem.path else problem.message for problem in wrong))
    if task.canonical == TEMPLATED:
        raise TaskFailed(f"The templated task cannot be of type '{TEMPLATED}'")
    if task.role is not Role.RUNNABLE:
        raise TaskFailed("The templated task must be a runnable task")
    return task
