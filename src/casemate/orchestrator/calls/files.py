"""Files as tasks use them: those of executions by address, those of namespaces by path (spec/engine 8.3, 8.4)."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable

from casemate.identifiers import Namespace
from casemate.orchestrator.calls.borders import deletable, readable, writable
from casemate.orchestrator.calls.effects import Means, Outcome
from casemate.orchestrator.calls.model import Arguments, Caller, refuse
from casemate.storage import NotThere, namespaces, paths, revisions

_FILES = "namespace files"
_MOST = 10_000


async def size(means: Means, caller: Caller, arguments: Arguments) -> Outcome:
    """How many bytes a file has."""
    return Outcome(await means.storage.size(caller.tenant, arguments.text("uri")))


async def delete(means: Means, caller: Caller, arguments: Arguments) -> Outcome:
    """Remove a file: was it there?"""
    uri = arguments.text("uri")
    paths.key_of(uri)
    if not deletable(caller, uri):
        refuse(f"Unable to delete the file '{uri[:500]}' as it doesn't belong to the namespace of the flow")
    there = await means.storage.exists(caller.tenant, uri)
    return Outcome(there, (("delete", uri, ""),) if there else ())


async def purge(means: Means, caller: Caller, _arguments: Arguments) -> Outcome:
    """Remove every file of the execution: their addresses, and those of the folders."""
    execution = caller.execution
    top = paths.execution_folder(execution.namespace, execution.flow_id, execution.id)
    found = [stored.uri for stored in await means.storage.list(caller.tenant, top)]
    gone = sorted({folder for uri in found for folder in _folders(uri, top)} | set(found))
    return Outcome(gone, tuple(("delete", uri, "") for uri in found))


def _folders(uri: str, top: str) -> Iterable[str]:
    while len(uri) > len(top):
        uri = uri.rpartition("/")[0]
        yield uri


async def namespace_files(means: Means, caller: Caller, arguments: Arguments) -> Outcome:
    """The paths of the files of a namespace, with a slash in front."""
    namespace = await means.db.read(readable, caller, arguments.maybe_text("namespace"))
    return Outcome(list(await to_thread(namespaces.files_of, means.storage, caller.tenant, namespace)))


async def upload(means: Means, caller: Caller, arguments: Arguments) -> Outcome:
    """Copy files into a namespace: `files` from path to address. The answer has the new addresses."""
    namespace = await _writable(means, caller, arguments)
    wanted = {path: str(uri) for path, uri in arguments.mapping("files").items()}
    conflict = arguments.maybe_text("conflict") or "OVERWRITE"
    targets = {path: paths.namespace_file(namespace, path) for path in _few(wanted)}
    there = [path for path, uri in targets.items() if await means.storage.exists(caller.tenant, uri)]
    if conflict == "ERROR" and there:
        refuse(f"File '{there[0]}' already exists and conflict is set to ERROR")
    skipped = there if conflict == "SKIP" else []
    copied = {path: uri for path, uri in targets.items() if path not in skipped}
    for path in copied:
        await _check_readable(means, caller, wanted[path])
    replaced = [path for path in copied if path in there]
    place = (means.storage, caller.tenant, namespace)
    kept = {targets[path]: await revisions.next_address(*place, path) for path in replaced}
    copies = (*kept.items(), *((wanted[path], uri) for path, uri in copied.items()))
    return Outcome(copied, tuple(("copy", source, target) for source, target in copies))


async def download(means: Means, caller: Caller, arguments: Arguments) -> Outcome:
    """Copy files of a namespace to those of the task run: path to new address, below `destination`."""
    namespace = await means.db.read(readable, caller, arguments.maybe_text("namespace"))
    destination = (arguments.maybe_text("destination") or "").strip("/")
    execution, run = caller.execution, caller.run
    place = (execution.namespace, execution.flow_id, execution.id, run.task_id, run.id)
    sources = {path: paths.namespace_file(namespace, path) for path in _few(arguments.texts("files"))}
    targets = {path: paths.task_file(*place, f"{destination}/{path.lstrip('/')}".lstrip("/")) for path in sources}
    return Outcome(targets, tuple(("copy", sources[path], targets[path]) for path in sources))


async def remove(means: Means, caller: Caller, arguments: Arguments) -> Outcome:
    """Remove files of a namespace: those of the paths that were there."""
    namespace = await _writable(means, caller, arguments)
    uris = {path: paths.namespace_file(namespace, path) for path in _few(arguments.texts("files"))}
    there = {path: uri for path, uri in uris.items() if await means.storage.exists(caller.tenant, uri)}
    return Outcome(list(there), tuple(("delete", uri, "") for uri in there.values()))


async def _writable(means: Means, caller: Caller, arguments: Arguments) -> Namespace:
    return await means.db.read(writable, caller, arguments.maybe_text("namespace"), _FILES)


async def _check_readable(means: Means, caller: Caller, uri: str) -> None:
    if not await means.storage.exists(caller.tenant, uri):
        raise NotThere(f"File '{uri}' doesn't exist")


def _few(wanted: Iterable[str]) -> list[str]:
    listed = list(wanted)
    return listed if len(listed) <= _MOST else refuse(f"There are {len(listed)} files, more than {_MOST} at once.")
