"""The inputs in a form: texts as they are, files kept in the internal storage before the execution begins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData, UploadFile

from casemate.api.deps import Deps
from casemate.api.errors import illegal_argument
from casemate.flows import Flow
from casemate.identifiers import ExecutionId
from casemate.storage import paths

_PIECE = 1 << 20

_LONGEST_TEXT = 4 << 20
"""Bytes of a file that is given for an input that is a text."""


@asynccontextmanager
async def kept(form: FormData, flow: Flow, execution: ExecutionId, deps: Deps) -> AsyncIterator[dict[str, object]]:
    """The inputs for a new execution; if it does not come to be, its files go again."""
    folder = paths.execution_folder(flow.namespace, flow.id, execution)
    try:
        yield {name: await _value(name, value, flow, execution, deps) for name, value in _named(form, flow)}
    except BaseException:
        await deps.storage.delete_below(flow.tenant, folder)
        raise


async def looked_at(form: FormData, flow: Flow) -> dict[str, object]:
    """The inputs without keeping any file: each has the address it would have in some execution."""
    nowhere = ExecutionId("0")
    kinds = {one.id: one.type for one in flow.inputs}
    return {
        name: value
        if isinstance(value, str)
        else _address(name, value, flow, nowhere)
        if kinds[name] == "FILE"
        else await _text(value)
        for name, value in _named(form, flow)
    }


def _named(form: FormData, flow: Flow) -> list[tuple[str, str | UploadFile]]:
    """The parts of a form by their inputs; what belongs to none is left out."""
    known = {one.id for one in flow.inputs}
    found = ((_name(part, value, known), value) for part, value in form.multi_items())
    return [(name, value) for name, value in found if name in known]


def _name(part: str, value: str | UploadFile, known: set[str]) -> str:
    """Older clients send every file as `files` and the input in place of the file's name."""
    older = part == "files" and part not in known and isinstance(value, UploadFile)
    return (value.filename or "") if older and isinstance(value, UploadFile) else part


async def _value(name: str, value: str | UploadFile, flow: Flow, execution: ExecutionId, deps: Deps) -> object:
    if isinstance(value, str):
        return value
    if next(one.type for one in flow.inputs if one.id == name) != "FILE":
        return await _text(value)
    if not value.size:
        raise illegal_argument(f"Can't upload file: {name}")
    return await deps.storage.put(flow.tenant, _address(name, value, flow, execution), _pieces(value))


async def _text(file: UploadFile) -> str:
    content = await file.read(_LONGEST_TEXT + 1)
    if len(content) > _LONGEST_TEXT:
        raise illegal_argument(f"{file.filename!r} has more than the {_LONGEST_TEXT} bytes that a text may have")
    return content.decode(errors="replace")


def _address(name: str, file: UploadFile, flow: Flow, execution: ExecutionId) -> str:
    given = (file.filename or "").replace("\\", "/").rpartition("/")[2]
    return paths.input_file(flow.namespace, flow.id, execution, name, given or f"{name}.upl")


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_PIECE):
        yield piece
