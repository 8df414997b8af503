"""Stage: files that the task wants in its working directory.

For a script those of its namespace, then its own `inputFiles`; for a body those that its properties name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from casemate.dispatch import Ask, NotHeld
from casemate.sandbox import folders
from casemate.worker import copies, local_files, properties
from casemate.worker.errors import JobLost, TaskFailed
from casemate.worker.model import Job, Tools
from casemate.worker.names import addresses_in, relative, stored
from casemate.worker.scripts import OUTPUT, wants_directory
from casemate.worker.selection import selected

MOST: Final = 1_000
"""How many files one body may be given."""


async def files(job: Job, tools: Tools) -> None:
    """Fill the working directory; a name that leads out of it ends the job."""
    if job.script is None and not job.grant.shares:
        await _for_body(job, tools)
        return
    if wants_directory(job.properties):
        await asyncio.to_thread(_make_output, job)
    await _of_namespace(job, tools)
    for name, content in _wanted(job.properties).items():
        await _place(job, tools, relative(name), content)


async def _for_body(job: Job, tools: Tools) -> None:
    """The files that its properties name, where the manifest says that they name files; nothing else of the storage."""
    wanted = job.manifest.schema.properties if job.manifest is not None else {}
    named = [job.properties.get(name) for name, schema in wanted.items() if schema.file]
    addresses = dict.fromkeys(address for value in named for address in addresses_in(value))
    if len(addresses) > MOST:
        raise TaskFailed(f"The task names {len(addresses)} files, more than the {MOST} that one task may have.")
    for address in addresses:
        name = f"{copies.FOLDER}/{stored(address)}"
        job.hidden.add(copies.FOLDER)
        await _bring(job, tools, address, name)
        job.files[address] = f"{job.places.work}/{name}"


def _make_output(job: Job) -> None:
    """The folder of results, empty also where an earlier task in the same working directory left one."""
    try:
        folders.discard(job.folder, OUTPUT)
        folders.make(job.folder, OUTPUT)
    except OSError as error:
        raise TaskFailed(f"Unable to make the output directory: {error.strerror}") from error


async def _of_namespace(job: Job, tools: Tools) -> None:
    wanted = properties.mapping(job.properties, "namespaceFiles")
    if job.properties.get("namespaceFiles") is None or not properties.flag(wanted, "enabled", default=True):
        return
    include, exclude = properties.texts(wanted, "include") or ("**",), properties.texts(wanted, "exclude")
    listed = await _listed(job, tools)
    for path in await asyncio.to_thread(selected, listed, include, exclude):
        await copies.bring(tools.link, job.grant, listed[path], job.folder, relative(path))


async def _listed(job: Job, tools: Tools) -> Mapping[str, str]:
    try:
        reply = await tools.link.ask(job.grant.job, job.grant.fence, Ask("namespace_files"))
    except NotHeld as error:
        raise JobLost from error
    if reply.error is not None or not isinstance(reply.value, Mapping):
        raise TaskFailed(reply.error or "The files of the namespace cannot be listed.")
    return {str(path).lstrip("/"): str(uri) for path, uri in reply.value.items()}


def _wanted(rendered: Mapping[str, object]) -> Mapping[str, object]:
    value = rendered.get("inputFiles")
    wanted = properties.mapping(rendered, "inputFiles") if isinstance(value, str | Mapping | None) else None
    if wanted is None:
        raise TaskFailed(f"Invalid `files` properties with type '{type(value).__name__}'")
    return {name: content for name, content in wanted.items() if content is not None}


async def _place(job: Job, tools: Tools, name: str, content: object) -> None:
    if isinstance(content, str) and content.startswith(("kestra://", local_files.SCHEME)):
        await _bring(job, tools, content, name)
    else:
        copies.write(job.folder, name, properties.text(content))


async def _bring(job: Job, tools: Tools, address: str, name: str) -> None:
    """A copy of a file of the internal storage, or of this machine where that is allowed, under that name."""
    if address.startswith(local_files.SCHEME):
        file = await asyncio.to_thread(tools.local.open, address, job.places.work, job.folder)
        await copies.bring_local(file, job.folder, name)
    else:
        await copies.bring(tools.link, job.grant, address, job.folder, name)
