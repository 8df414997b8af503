"""Sandboxes that wait for their one job: they are what a launch would make, given once, and in nobody's way."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.sandbox.conftest import MAY_START_ANYTHING, House, ended

from casemate.sandbox import Command, Launch, Policy, Sandboxes

pytestmark = pytest.mark.anyio


@pytest.fixture
async def own(tmp_path):
    async with Sandboxes.open(tmp_path, slots=4) as sandboxes:
        yield House(sandboxes, tmp_path)


def spares(house) -> list[Path]:
    return [each for each in house.folder.iterdir() if each.name.startswith(".spare-")]


async def until(holds) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def waiting_spare(house) -> Path:
    """One that has its walls: the worker keeps it by its kind."""
    await until(lambda: house.sandboxes._spares._waiting)
    (spare,) = spares(house)
    return spare


async def said(house, script: str) -> str:
    events, end = await house.shell(script)
    assert end.exit_code == 0, events
    return "\n".join(event.text for event in events)


async def test_the_next_launch_moves_into_the_sandbox_that_waits(own):
    _, first_end = await own.shell("id -u; ls -a /work")
    spare = (await waiting_spare(own)).stat().st_ino
    running = await own.launch(Command(argv=("sh", "-c", "ls -a /work; stat -c %u /work; touch made"), env={}))
    assert running.work.stat().st_ino == spare
    _, end = await ended(running)
    assert end.exit_code == 0
    assert (running.work / "made").exists()
    assert (running.work / "made").stat().st_uid == os.geteuid()
    # the kernel user is that of the slot; everything else is as if it had been made now
    differing = {"user"} if os.geteuid() == 0 else set()
    walls = {name: wall for name, wall in end.isolation.walls.items() if name not in differing}
    assert walls == {name: first_end.isolation.walls[name] for name in walls}


async def test_files_of_the_launch_are_there(own):
    await own.shell("true")
    await waiting_spare(own)
    work = own.folder / "with-files"
    work.mkdir()
    (work / ".script").write_text("hello")
    (work / "note").write_text("there")
    what = Command(argv=("sh", "-c", "cat .script note; echo mine > .script"), env={})
    events, end = await ended(
        await own.sandboxes.launch(Launch(name="files", policy=MAY_START_ANYTHING, work=work, what=what))
    )
    assert ([event.text for event in events], end.exit_code) == (["hellothere"], 0)
    assert (work / ".script").read_text() == "mine\n"


async def test_a_folder_with_more_in_it_stays_where_it_is(own):
    await own.shell("true")
    spare = (await waiting_spare(own)).stat().st_ino
    work = own.folder / "with-folders"
    (work / "deep").mkdir(parents=True)
    (work / "deep" / "er").write_text("below")
    what = Command(argv=("cat", "deep/er"), env={})
    running = await own.sandboxes.launch(Launch(name="deep", policy=MAY_START_ANYTHING, work=work, what=what))
    assert running.work.stat().st_ino != spare
    events, _ = await ended(running)
    assert [event.text for event in events] == ["below"]


async def test_no_two_launches_share_one(own):
    await own.shell("true")
    await waiting_spare(own)
    scripts = ["echo 1 > /tmp/x; sleep 0.2; cat /tmp/x; ls /work", "echo 2 > /tmp/x; sleep 0.2; cat /tmp/x; ls /work"]
    assert await asyncio.gather(*(said(own, script) for script in scripts)) == ["1", "2"]


async def test_nothing_of_one_task_is_seen_by_the_next(own):
    leave = "echo secret > /tmp/left; echo secret > /dev/shm/left; echo secret > /work/left; sleep 600 & echo left"
    for _ in range(3):
        assert await said(own, "cat /tmp/left /dev/shm/left /work/left 2>/dev/null; ls /tmp /dev/shm /work") in (
            "/dev/shm:\n\n/tmp:\n\n/work:",
        )
        await waiting_spare(own)
        assert await said(own, leave) == "left"
        await waiting_spare(own)


async def test_another_policy_does_not_get_it(own):
    await own.shell("true")
    spare = (await waiting_spare(own)).stat().st_ino
    running = await own.launch(Command(argv=("true",), env={}), Policy())
    assert running.work.stat().st_ino != spare
    _, end = await ended(running)
    assert "threads denied" in end.isolation.walls["rights"]


async def test_one_that_was_killed_is_not_used(own):
    await own.shell("true")
    await waiting_spare(own)
    (waiting,) = own.sandboxes._spares._waiting.values()
    await waiting.box.zygote.kill(waiting.box.id)
    await waiting.box.ended
    assert waiting.box.ended.result().status == signal.SIGKILL
    assert await said(own, "echo still") == "still"


async def test_it_gives_way_when_all_slots_are_wanted(own):
    await own.shell("true")
    await waiting_spare(own)
    async with asyncio.timeout(20):
        # as many as there are slots, none of the kind that waits
        running = [await own.launch(Command(argv=("sleep", "600"), env={}), Policy()) for _ in range(4)]
    assert spares(own) == []
    for each in running:
        await each.kill("enough")
        await each.end()


async def test_it_is_given_up_when_nobody_wants_it(own, monkeypatch):
    monkeypatch.setattr("casemate.sandbox.spares._SECONDS", 0.1)
    await own.shell("true")
    await until(lambda: own.sandboxes._spares._keeping)
    await until(lambda: not own.sandboxes._spares._keeping)
    assert spares(own) == []
    assert own.sandboxes._free.qsize() == 4


async def test_nothing_is_left_at_the_end(tmp_path):
    async with Sandboxes.open(tmp_path, slots=4) as sandboxes:
        house = House(sandboxes, tmp_path)
        await house.shell("true")
        await waiting_spare(house)
    assert spares(house) == []


async def test_what_a_killed_worker_left_is_removed(tmp_path):
    (tmp_path / ".spare-7").mkdir()
    async with Sandboxes.open(tmp_path, slots=1):
        assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".spare-")] == []
