"""Stage: where the task will find its folders. A container has them at places of its own, whatever the walls are."""

from __future__ import annotations

import contextlib

from casemate.containers import WORK
from casemate.sandbox import Places
from casemate.worker import runners
from casemate.worker.errors import TaskFailed
from casemate.worker.model import Job, Tools


async def place(job: Job, tools: Tools) -> None:
    """Templates can name the working directory, so this comes before them; what is wrong with a runner comes after."""
    task = job.grant.task
    with contextlib.suppress(TaskFailed):
        if runners.docker_properties(task.properties, tools.catalog.canonical) is not None:
            job.places = Places(work=WORK)
