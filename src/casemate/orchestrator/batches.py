"""The files of a ForEachItem: which part is whose, and the outputs of all executions in one (spec/engine 4.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping

from casemate.executions import Call, Execution, TaskRun
from casemate.expressions import Unanswerable, printed, render
from casemate.flows import sibling
from casemate.identifiers import TenantId
from casemate.orchestrator.telling import outputs_folder
from casemate.sealed import opened
from casemate.secret import HIDDEN
from casemate.storage import Storage, paths

_LONGEST_ADDRESS = 4096


async def part_of(storage: Storage, execution: Execution, call: Call) -> str:
    """The address of the part that a call is about: the line of that number, as all lines are of one length.

    Raises `StorageError` when the list is not there, ValueError when it is none.
    """
    run = _sibling(execution, call, "split")
    splits = (run.outputs or {}).get("splits") if run is not None else None
    if run is None or not isinstance(splits, str):
        raise ValueError("The file was not split.")
    first = await storage.piece(execution.tenant, splits, 0, _LONGEST_ADDRESS)
    length = first.index(b"\n") + 1
    line = await storage.piece(execution.tenant, splits, (call.number - 1) * length, call.number * length)
    address = line.decode().rstrip("\n")
    place = (execution.namespace, execution.flow_id, execution.id, run.task_id, run.id)
    # The list was written behind the walls, next to what tenants wrote: it may name only what stands beside it.
    if not address.startswith(f"{paths.task_folder(*place)}/"):
        raise ValueError(f"The file was split into something else than its parts: '{address[:200]}'")
    return address


async def keep_outputs(storage: Storage, execution: Execution, call: Call, outputs: Mapping[str, object]) -> None:
    """Keep what one of the executions has put out, as a line of ION, but for what is sealed in it.

    Nobody would open that again in a file, nor seal it anew when the key changes.
    """
    world = Unanswerable(now=execution.history.start)
    shown = opened(outputs, lambda _: HIDDEN)
    line = printed(render("{{ outputs | toIon }}", {"outputs": shown}, world))
    await storage.put(execution.tenant, f"{outputs_folder(execution, call)}/{call.number:09}.ion", f"{line}\n".encode())


async def merged(storage: Storage, execution: Execution, call: Call) -> str | None:
    """Join what the executions have put out, in the order of the parts; None if none of them has put out anything."""
    items = _sibling(execution, call, "items")
    if items is None:
        return None
    folder = outputs_folder(execution, Call(items.id, len(items.attempts)))
    kept = [file.uri for file in await storage.list(execution.tenant, folder)]
    if not kept:
        return None
    run = execution.task_runs[call.task_run]
    place = (execution.namespace, execution.flow_id, execution.id, run.task_id, run.id)
    uri = paths.task_file(*place, "outputs.ion")
    return await storage.put(execution.tenant, uri, _joined(storage, execution.tenant, kept))


async def _joined(storage: Storage, tenant: TenantId, files: Iterable[str]) -> AsyncIterator[bytes]:
    for uri in files:
        async for chunk in storage.stream(tenant, uri):
            yield chunk


def _sibling(execution: Execution, call: Call, part: str) -> TaskRun | None:
    """Another part of the same ForEachItem."""
    run = execution.task_runs[call.task_run]
    wanted = sibling(run.task_id, part)
    runs = execution.task_runs.values()
    return next((one for one in runs if one.task_id == wanted and one.parent == run.parent), None)
