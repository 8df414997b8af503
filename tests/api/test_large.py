"""Executions of thousands of task runs, shown without holding up anybody."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from casemate.api import large
from casemate.api.answers import text
from casemate.executions import to_json
from tests.executions.driver import House, flow, flowable, work

pytestmark = pytest.mark.anyio


def execution_of(count):
    values = [str(number) for number in range(count)]
    return House.of(flow(flowable("ForEach", "each", work("log"), properties={"values": values}))).run().execution


@pytest.mark.parametrize("count", [1, 1000])
async def test_the_text_is_the_same_however_it_is_made(count):
    execution = execution_of(count)
    assert len(execution.task_runs) == count + 1
    assert await large.text_of(execution, url="here") == text({**to_json(execution), "url": "here"})
    page = await large.page_of([execution, replace(execution, task_runs={})], 7)
    assert json.loads(bytes(page.body)) == {
        "results": [to_json(execution), to_json(replace(execution, task_runs={}))],
        "total": 7,
    }


async def test_the_event_loop_goes_on_while_a_large_one_is_written():
    execution = execution_of(3000)
    writing = asyncio.create_task(large.text_of(execution))
    turns = 0
    while not writing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
