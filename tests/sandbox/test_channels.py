"""The channel to a body: whatever comes out of it, the worker stays well, hears no nonsense, and the sandbox ends."""

from __future__ import annotations

import json
import os
import resource
import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemate.sandbox import Body, Policy, Told
from casemate.sandbox.hearing import _IN_QUOTES, _is_status, _message

from .conftest import House, ended

pytestmark = pytest.mark.anyio

SAY = """
import os
said, left = {said!r}, 0
while left < len(said): left += os.write(3, said[left:left + 65536])
{then}
"""


def saying(said: bytes, then: str = "") -> Body:
    return running_code(SAY.format(said=said, then=then))


def running_code(code: str) -> Body:
    return Body(module="casemate.inside.redteam_payload", job={"properties": {"code": code}})


async def still_well(house: House) -> None:
    events, end = await house.body("core_debug_return", format="well")
    assert end.exit_code == 0
    assert {"outputs": {"value": "well"}} in [event.message for event in events if isinstance(event, Told)]


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_bytes_are_a_message_or_the_end_of_the_sandbox(house, said):
    events, end = await ended(await house.launch(saying(said + b"\n"), Policy()))
    lines = [_message(line.removesuffix(b"\r")) for line in (said + b"\n").split(b"\n")[:-1]]
    if None in lines:
        assert end.killed == "broken message"
    else:
        assert [event.message for event in events if isinstance(event, Told)] == lines
    await still_well(house)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_message_arrives_as_it_was_meant(house, message):
    said = json.dumps(message).encode() + b"\n"
    events, _ = await ended(await house.launch(saying(said), Policy()))
    assert [event.message for event in events if isinstance(event, Told)] == [message]


BROKEN = {
    "nested deeply": b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "half a message": b'{"outputs": {"a": 1}',
    "no JSON": b"hello",
    "no object": b"[]",
    "not a number": b'{"outputs": {"a": NaN}}',
    "a number of many digits": b'{"outputs": {"a": ' + b"9" * 100_000 + b"}}",
    "not UTF-8": b'{"outputs": {"a": "\xff\xfe"}}',
    "zeros": bytes(1000),
    "many values": b'{"a":[' + b"[]," * 600_000 + b"0]}",
    "longer than any": b'{"a":"' + b"a" * (17 << 20) + b'"}',
}


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_message_ends_the_sandbox(house, said):
    code = f"import os\nsaid = {said[:100]!r}" if len(said) < 100 else f"import os\nsaid = {compact(said)}"
    code += "\nsaid += b'\\n'\nwhile said: said = said[os.write(3, said[:65536]):]\nimport time; time.sleep(60)"
    _, end = await ended(await house.launch(running_code(code), Policy()))
    assert end.killed == "broken message"
    await still_well(house)


def compact(said: bytes) -> str:
    """An expression for these bytes that is short where they repeat."""
    head, tail = said[:20], said[-20:]
    unit = said[20:23] if said[20:23] * 100 == said[20:320] else said[20:21]
    middle = len(said) - 40
    text = f"{head!r} + ({unit!r} * {middle // len(unit) + 1})[:{middle}] + {tail!r}"
    return text if eval(text) == said else repr(said)


async def test_many_commas_in_a_text_are_not_many_values(house):
    code = "TELL({'outputs': {'csv': ',' * 2_000_000}})"
    events, end = await ended(await house.launch(running_code(code), Policy()))
    assert end.exit_code == 0
    assert [len(event.message["outputs"]["csv"]) for event in events] == [2_000_000]


def test_quotes_without_end_do_not_keep_the_worker_busy():
    hostile = b'"' + b'\\"' * 3_000_000
    begun = time.monotonic()
    assert _IN_QUOTES.sub(b"", hostile) == b""
    assert time.monotonic() - begun < 5


async def test_of_a_key_that_is_there_twice_the_last_counts(house):
    events, _ = await ended(await house.launch(saying(b'{"outputs": {"a": 1}, "outputs": {"a": 2}}\n'), Policy()))
    assert [event.message for event in events] == [{"outputs": {"a": 2}}]


async def test_a_message_without_its_end_is_not_heard(house):
    events, end = await ended(await house.launch(saying(b'{"outputs": {}}\n{"outputs": {"a"'), Policy()))
    assert [event.message for event in events] == [{"outputs": {}}]
    assert end.exit_code == 0


async def test_a_body_that_closes_its_channel_can_still_be_killed(house):
    running = await house.launch(
        running_code("import os, time; os.close(3); print('closed'); time.sleep(60)"), Policy()
    )
    async for event in running.events():
        assert event.text == "closed"
        await running.kill("enough", timedelta(seconds=1))
    end = await running.end()
    assert end.killed == "enough"


async def test_descriptors_that_a_body_sends_are_dropped(house):
    before = len(os.listdir("/proc/self/fd"))
    code = """
import array, os, socket
channel, handed = socket.socket(fileno=3), array.array("i", [0] * 200)
for _ in range(50):
    try: channel.sendmsg([b"{}\\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handed)])
    except OSError: break
channel.detach()
"""
    events, end = await ended(await house.launch(running_code(code), Policy()))
    assert end.exit_code == 0
    assert {json.dumps(event.message) for event in events} <= {"{}"}
    assert len(os.listdir("/proc/self/fd")) <= before + 4  # a spare sandbox may have come


async def test_a_body_that_asks_without_end_and_hears_nothing_is_held_back_and_killed(house):
    code = """
import os
while True: os.write(3, b'{"ask": {"function": "x", "arguments": {}}}\\n')
"""
    running = await house.launch(running_code(code), Policy())
    answered = 0
    async for _ in running.events():
        answered += 1
        if answered == 3:
            await running.kill("enough")
        if answered < 3:
            await running.answer("a" * 10_000)
    end = await running.end()
    assert end.killed == "enough"
    await still_well(house)


async def test_large_messages_do_not_pile_up_in_the_worker(house):
    """Each is near the limit, and its reader takes its time: the sandbox has to wait, not the worker's memory."""
    code = """
import os
said = b'{"a":[' + b"1," * 400_000 + b"0]}\\n"
for _ in range(40):
    rest = said
    while rest: rest = rest[os.write(3, rest[:65536]):]
"""
    running = await house.launch(running_code(code), Policy())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    heard = 0
    async for _ in running.events():
        heard += 1
        await still_well(house)
        if heard == 3:
            break
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10
    await running.kill("enough")
    await running.end()


@pytest.mark.parametrize("status", [-1, 127, 0xFFFF, 1 << 16, 10**30])
def test_a_command_ends_only_in_words_of_wait(status):
    assert not _is_status(status)


@pytest.mark.parametrize("status", [0, 3 << 8, 9, 11 | 0x80])
def test_an_end_is_an_exit_or_a_signal(status):
    assert _is_status(status)
