"""Executions as JSON texts. Those of thousands of task runs are written beside the event loop, which is everybody's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from starlette.responses import Response

from casemate.api.answers import text
from casemate.executions import Execution, to_json

_MANY: Final = 250
"""Task runs that are written in the event loop itself: about 10 ms."""


async def text_of(execution: Execution, **more: object) -> str:
    """One execution, with more fields at its end."""
    (written,) = await _written((execution,), more)
    return written


async def one(execution: Execution, **more: object) -> Response:
    """The answer that shows one execution."""
    return Response(await text_of(execution, **more), media_type="application/json")


async def page_of(executions: Iterable[Execution], total: int) -> Response:
    """The answer that shows one page of a search."""
    results = ",".join(await _written(tuple(executions), {}))
    return Response(f'{{"results":[{results}],"total":{total}}}', media_type="application/json")


async def _written(executions: tuple[Execution, ...], more: Mapping[str, object]) -> list[str]:
    write = partial(_texts, executions, more)
    if sum(len(execution.task_runs) for execution in executions) <= _MANY:
        return write()
    return await asyncio.to_thread(write)


def _texts(executions: tuple[Execution, ...], more: Mapping[str, object]) -> list[str]:
    return [_in_pieces({**to_json(execution), **more}) for execution in executions]


def _in_pieces(shown: Mapping[str, object]) -> str:
    """The JSON text of a map, lists item by item: no other thread runs while a single value is being encoded."""
    return "{" + ",".join(f"{text(name)}:{_list_or_value(value)}" for name, value in shown.items()) + "}"


def _list_or_value(value: object) -> str:
    return f"[{','.join(map(text, value))}]" if isinstance(value, list) else text(value)
