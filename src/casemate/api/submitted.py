"""The inputs in a form: texts as they are, files kept in the internal storage before the execution begins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Container, Sequence
from contextlib import asynccontextmanager

from starlette.datastructures import FormData, UploadFile

from casemate.api.deps import Deps
from casemate.api.errors import illegal_argument
from casemate.errors import CasemateError
from casemate.executions import Execution
from casemate.flows import Flow, Input
from casemate.identifiers import ExecutionId, TaskRunId
from casemate.storage import paths

_PIECE = 1 << 20

_LONGEST_TEXT = 4 << 20
"""Bytes of a file that is given for an input that is a text."""


@asynccontextmanager
async def kept(form: FormData, flow: Flow, execution: ExecutionId, deps: Deps) -> AsyncIterator[dict[str, object]]:
    """The inputs for a new execution; if it does not come to be, its files go again.

    Whoever is interrupted cannot know whether it came to be: the files stay.
    """

    async def keep(name: str, file: UploadFile) -> str:
        if not file.size:
            raise illegal_argument(f"Can't upload file: {name}")
        return await deps.storage.put(flow.tenant, _address(name, file, flow, execution), _pieces(file))

    try:
        yield await _values(form, flow.inputs, keep)
    except CasemateError:
        await deps.storage.delete_below(flow.tenant, paths.execution_folder(flow.namespace, flow.id, execution))
        raise


@asynccontextmanager
async def kept_for_run(
    form: FormData, asked: Sequence[Input], execution: Execution, run: TaskRunId | None, deps: Deps
) -> AsyncIterator[dict[str, object]]:
    """What a paused task run asks for; if it does not go on, the files go again."""
    put: list[str] = []

    async def keep(name: str, file: UploadFile) -> str:
        if not file.size:
            raise illegal_argument(f"Can't upload file: {name}")
        assert run is not None, "without a task run nothing is asked for"
        address = _address_for_run(name, file, execution, run)
        put.append(await deps.storage.put(execution.tenant, address, _pieces(file)))
        return address

    try:
        yield await _values(form, asked, keep)
    except CasemateError:
        for address in put:
            await deps.storage.delete(execution.tenant, address)
        raise


async def looked_at(form: FormData, inputs: Sequence[Input], place: Flow | Execution) -> dict[str, object]:
    """The inputs without keeping any file: each has the address it would have in some execution."""
    flow_id = place.flow_id if isinstance(place, Execution) else place.id

    async def address(name: str, file: UploadFile) -> str:
        return paths.input_file(place.namespace, flow_id, ExecutionId("0"), name, _file_name(name, file))

    return await _values(form, inputs, address)


async def _values(
    form: FormData, inputs: Sequence[Input], put: Callable[[str, UploadFile], Awaitable[str]]
) -> dict[str, object]:
    kinds = {one.id: one.type for one in inputs}
    values: dict[str, object] = {}
    for part, value in form.multi_items():
        name = _name(part, value, kinds)
        if name not in kinds:
            continue
        if isinstance(value, str):
            values[name] = value
        else:
            values[name] = await (put(name, value) if kinds[name] == "FILE" else _text(value))
    return values


def _name(part: str, value: str | UploadFile, inputs: Container[str]) -> str:
    """Which input a part is for. Older clients send files as `files`, with the input in place of the file's name."""
    if isinstance(value, str) or part != "files" or part in inputs:
        return part
    return value.filename or ""


async def _text(file: UploadFile) -> str:
    content = await file.read(_LONGEST_TEXT + 1)
    if len(content) > _LONGEST_TEXT:
        raise illegal_argument(f"{file.filename!r} has more than the {_LONGEST_TEXT} bytes that a text may have")
    return content.decode(errors="replace")


def _address(name: str, file: UploadFile, flow: Flow, execution: ExecutionId) -> str:
    return paths.input_file(flow.namespace, flow.id, execution, name, _file_name(name, file))


def _address_for_run(name: str, file: UploadFile, execution: Execution, run: TaskRunId) -> str:
    """Beside what the task run has: inputs of the execution itself may have the same names."""
    task = execution.task_runs[run].task_id
    place = (execution.namespace, execution.flow_id, execution.id, task, run)
    return paths.task_file(*place, f"{name}/{_file_name(name, file)}")


def _file_name(name: str, file: UploadFile) -> str:
    given = (file.filename or "").replace("\\", "/").rpartition("/")[2]
    return given or f"{name}.upl"


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_PIECE):
        yield piece
