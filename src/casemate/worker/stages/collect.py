"""Stage: what remains of a run: its outputs and the files it left, also when it failed."""

from __future__ import annotations

import asyncio
from typing import Final

from casemate.errors import CasemateError
from casemate.sandbox import folders
from casemate.worker import asking, copies, properties
from casemate.worker.errors import TaskFailed
from casemate.worker.model import Job, Tools
from casemate.worker.scripts import OUTPUT, wants_directory
from casemate.worker.verdict import exit_code

_DIRECTORY: Final = f"{OUTPUT}/"


async def collect(job: Job, tools: Tools) -> None:
    """Fill `job.outputs`: a body's own, or a script's `vars`, `exitCode` and `outputFiles`.

    A WorkingDirectory has `outputFiles` only, and nothing where there are none.
    """
    if job.script is None and not job.grant.shares:
        job.outputs = job.gathered.values if job.spoke else None
        return
    paths = await _results(job)
    kept = {path.removeprefix(_DIRECTORY): await copies.take(tools.link, job.grant, job.folder, path) for path in paths}
    if job.grant.shares:
        job.outputs = {"outputFiles": kept} if kept else None
        return
    await _seal(job, tools)
    job.outputs = {
        "vars": job.gathered.values,
        "exitCode": exit_code(job.end) if job.end else None,
        "outputFiles": kept,
        **({"taskRunner": {"containerId": job.container}} if job.container is not None else {}),
    }


async def _seal(job: Job, tools: Tools) -> None:
    """What a script confided becomes outputs in envelopes: the key is not here."""
    for name, text in job.confided.values.items():
        job.gathered.add({name: await asking.sealed(job, tools, str(text))})
    if job.confided.refused is not None:
        job.gathered.refused = max(job.gathered.refused or 0, job.confided.refused)


async def _results(job: Job) -> list[str]:
    patterns = properties.texts(job.properties, "outputFiles")
    if wants_directory(job.properties):
        patterns = (*patterns, f"{_DIRECTORY}**")
    if not patterns:
        return []
    try:
        found = await asyncio.to_thread(folders.outputs, job.folder, patterns)
    except (CasemateError, OSError) as error:
        raise TaskFailed(f"Unable to collect the output files: {error}") from error
    return [output.path for output in found if output.path.partition("/")[0] not in job.hidden]
