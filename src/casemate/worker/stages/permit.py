"""Stage: may a task of this type be run here at all? Asked before any of its templates is rendered.

Flows are checked when they are saved. This one may be older than the rule, and a template may just have written it.
"""

from __future__ import annotations

from casemate.catalog import Catalog, refused
from casemate.governance import FORCE_RUNNER, runner_of_scripts
from casemate.worker.errors import TaskFailed
from casemate.worker.model import Job, Tools


async def permit(job: Job, tools: Tools) -> None:
    """Raises `TaskFailed` for a type that this worker's configuration does not allow."""
    task = job.grant.task
    if tools.catalog.is_restricted(task.canonical):
        raise TaskFailed(*refused(task.type))


def check_allowed(catalog: Catalog, name: str | None) -> None:
    """The same for the type of something that a task is carried out with."""
    if name is not None and catalog.is_restricted(name):
        raise TaskFailed(*refused(name))


def check_runner(catalog: Catalog, name: str) -> None:
    """The same for the runner of code, if the configuration says which one there is to be.

    A task may have been taken up before it said so, and a plugin may have a property for runners that it does not use.
    """
    forced = runner_of_scripts(catalog.rules)
    if forced is not None and catalog.canonical(forced) != name:
        raise TaskFailed(f"This would be run by `{name}`, but `{FORCE_RUNNER}` asks for `{forced}`.")
