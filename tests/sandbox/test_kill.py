"""Ending a sandbox early."""

import asyncio
import os
import signal
from datetime import timedelta

import pytest
from tests.sandbox.conftest import ended

from casemate.sandbox import Body, Command, Line, Policy

pytestmark = pytest.mark.anyio
STUBBORN = "trap 'echo no' TERM; echo ready; while :; do sleep 0.05; done"
POLITE = "trap 'echo bye; exit 4' TERM; echo ready; while :; do sleep 0.05; done"


async def ready(running):
    """The events of a sandbox once it has said that it is ready."""
    events = running.events()
    async for event in events:
        if isinstance(event, Line) and event.text == "ready":
            return events
    raise AssertionError("it never was ready")


async def test_a_polite_command_ends_by_itself(house):
    running = await house.launch(Command(argv=("sh", "-c", POLITE), env={}))
    events = await ready(running)
    await running.kill("time is up", timedelta(seconds=20))
    assert [event.text async for event in events if event.stream == "stdout"] == ["bye"]
    end = await running.end()
    assert (end.exit_code, end.signal, end.killed) == (4, None, "time is up")


async def test_a_stubborn_command_is_killed_after_its_grace(house):
    running = await house.launch(Command(argv=("sh", "-c", STUBBORN), env={}))
    events = await ready(running)
    await running.kill("time is up", timedelta(seconds=0.2))
    assert "no" in [event.text async for event in events]
    end = await running.end()
    assert (end.exit_code, end.signal, end.killed) == (None, signal.SIGKILL, "time is up")


async def test_without_grace_nothing_is_asked(house):
    running = await house.launch(Command(argv=("sh", "-c", POLITE), env={}))
    events = await ready(running)
    await running.kill("at once")
    assert [event.text async for event in events] == []
    assert (await running.end()).signal == signal.SIGKILL


async def test_a_body_is_killed_at_once(house):
    sleep = Body(module="casemate.inside.core_flow_sleep", job={"properties": {"duration": "PT1H"}})
    running = await house.launch(sleep, Policy())
    await asyncio.wait_for(running.kill("enough", timedelta(hours=1)), 20)
    end = await running.end()
    assert (end.signal, end.killed) == (signal.SIGKILL, "enough")


async def test_killing_again_or_too_late_changes_nothing(house):
    running = await house.launch(Command(argv=("sh", "-c", STUBBORN), env={}))
    await asyncio.gather(running.kill("first"), running.kill("second"))
    end = await running.end()
    await running.kill("third", timedelta(seconds=1))
    assert end.killed == "first"
    finished = await house.launch(Command(argv=("true",), env={}))
    await finished.end()
    await finished.kill("too late")
    assert (await finished.end()).killed is None


async def test_the_end_of_the_zygote_is_the_end_of_its_sandboxes_and_not_of_the_worker(house):
    running = await house.launch(Command(argv=("sleep", "60"), env={}))
    zygote = running._box.zygote._process.pid
    os.kill(zygote, signal.SIGKILL)
    _, end = await asyncio.wait_for(ended(running), 20)
    assert end.signal == signal.SIGKILL
    assert end.killed == "The process that starts sandboxes has ended, and with it all its sandboxes."
    _, end = await asyncio.wait_for(house.shell("true"), 20)
    assert end.exit_code == 0


async def test_a_broken_message_of_a_body_is_its_end(house):
    body = Body(module="casemate.inside.core_debug_return", job={"properties": {"format": "x" * (17 << 20)}})
    _, end = await ended(await house.launch(body, Policy()))
    assert end.killed == "broken message"
