"""What WorkingDirectories keep from one execution to the next: where it lies, and whether it is still good."""

from __future__ import annotations

from collections.abc import AsyncIterable
from datetime import datetime

from casemate.dispatch import Ask, Reply
from casemate.executions import keeps_folder
from casemate.identifiers import TaskRunId
from casemate.orchestrator.lives import Live
from casemate.storage import NotThere, Storage, StorageError, paths

ASKED = "cache"
"""The function by which a worker asks for the address of a cache that is not older than `ttl` seconds."""


async def reply(storage: Storage, live: Live, task_run: TaskRunId, question: Ask, now: datetime) -> Reply:
    """The address, or nothing if there is none that is young enough."""
    uri = _address(live, task_run)
    if uri is None:
        return Reply(error="Only a WorkingDirectory has a cache.")
    try:
        kept = await storage.modified(live.execution.tenant, uri)
    except NotThere:
        return Reply()
    except StorageError as error:
        return Reply(error=str(error))
    ttl = question.arguments.get("ttl")
    good = not isinstance(ttl, int | float) or (now - kept).total_seconds() <= ttl
    return Reply(uri if good else None)


async def keep(storage: Storage, live: Live, task_run: TaskRunId, content: AsyncIterable[bytes]) -> None:
    """Replace what is kept. Raises `StorageError`."""
    uri = _address(live, task_run)
    if uri is None:
        raise StorageError("Only a WorkingDirectory has a cache.")
    await storage.put(live.execution.tenant, uri, content)


def _address(live: Live, task_run: TaskRunId) -> str | None:
    execution, run = live.execution, live.execution.task_runs[task_run]
    task = next(task for task in live.flow.all_tasks() if task.id == run.task_id)
    if not keeps_folder(task):
        return None
    return paths.cache_file(execution.namespace, execution.flow_id, task.id, run.value)
