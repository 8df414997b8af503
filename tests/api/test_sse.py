import asyncio
from datetime import timedelta

import pytest

from casemate.api.limits import Seats
from casemate.api.sse import Event, stream

pytestmark = pytest.mark.anyio

OFTEN = timedelta(milliseconds=5)
NEVER = timedelta(hours=1)


async def collected(events, heartbeat):
    return [bytes(part) async for part in stream(events, heartbeat, Seats(1)).body_iterator]


async def test_events_carry_their_id_and_one_line_of_json():
    async def events():
        yield Event("start", '{"text":"a\\nb"}')
        yield Event("end", "{}")

    parts = await collected(events(), NEVER)
    assert parts == [b'id: start\ndata: {"text":"a\\nb"}\n\n', b"id: end\ndata: {}\n\n"]


async def test_a_quiet_stream_says_that_it_lives_and_loses_nothing():
    asked = asyncio.Event()

    async def events():
        await asked.wait()
        yield Event("end", "{}")

    parts = []
    async for part in stream(events(), OFTEN, Seats(1)).body_iterator:
        parts.append(part)
        if len(parts) == 2:
            asked.set()
    assert parts[:2] == [b": alive\n\n", b": alive\n\n"]
    assert parts[-1] == b"id: end\ndata: {}\n\n"


async def test_a_reader_who_leaves_ends_the_source():
    ended = asyncio.Event()

    async def events():
        try:
            yield Event("start", "{}")
            await asyncio.Event().wait()
        finally:
            ended.set()

    reading = stream(events(), OFTEN, Seats(1)).body_iterator
    assert await anext(reading) == b"id: start\ndata: {}\n\n"
    assert await anext(reading) == b": alive\n\n"
    await reading.aclose()
    assert ended.is_set()


async def test_a_source_is_never_read_ahead():
    asked = []

    async def events():
        for number in range(3):
            asked.append(number)
            yield Event("progress", str(number))

    reading = stream(events(), NEVER, Seats(1)).body_iterator
    await anext(reading)
    assert asked == [0]
    await reading.aclose()
