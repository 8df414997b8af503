"""Sandboxes that wait for their one job: they are what a launch would make, given once, and in nobody's way."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.sandbox.conftest import MAY_START_ANYTHING, House, ended

from casemate.sandbox import Command, Launch, LaunchFailed, Policy, Sandboxes
from casemate.sandbox.spares import Spare

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


def waiting(house) -> list[Spare]:
    """Those that have their walls."""
    return [spare for shelf in house.sandboxes._spares._shelves.values() for spare in shelf.waiting]


async def waiting_spare(house) -> Path:
    """The only one."""
    await until(lambda: waiting(house))
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
    (killed,) = waiting(own)
    await killed.box.zygote.kill(killed.box.id)
    await killed.box.ended
    assert killed.box.ended.result().status == signal.SIGKILL
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
    await waiting_spare(own)
    await until(lambda: own.sandboxes._free.qsize() == 4)
    assert spares(own) == []
    assert own.sandboxes._spares._shelves == {}


async def test_more_of_a_kind_wait_when_more_were_missed(tmp_path):
    async with Sandboxes.open(tmp_path, slots=8) as sandboxes:
        house = House(sandboxes, tmp_path)
        await asyncio.gather(*(house.shell("true") for _ in range(3)))
        await until(lambda: len(waiting(house)) == 3)
        before = {each.box.id for each in waiting(house)}
        running = [await house.launch(Command(argv=("sleep", "600"), env={})) for _ in range(3)]
        assert {each._box.id for each in running} == before
        for each in running:
            await each.kill("enough")
            await each.end()


async def test_most_slots_are_left_to_launches(own):
    await asyncio.gather(*(own.shell("true") for _ in range(4)))
    await until(lambda: len(waiting(own)) == 2)
    await own.shell("true")
    await until(lambda: own.sandboxes._spares._making.done())
    assert len(waiting(own)) <= 2


async def test_the_first_of_a_kind_goes_before_the_second_of_another(own):
    await asyncio.gather(*(own.shell("true") for _ in range(3)))
    await until(lambda: len(waiting(own)) == 2)
    await own.shell("true", Policy())
    await until(lambda: {len(shelf.waiting) for shelf in own.sandboxes._spares._shelves.values()} == {1})


async def test_a_folder_that_is_not_there_is_made(own):
    for number in range(2):  # in a sandbox that is made for it, and in one that waits
        work = own.folder / f"missing-{number}"
        what = Command(argv=("sh", "-c", "echo mine > made; cat made"), env={})
        launch = Launch(name="missing", policy=MAY_START_ANYTHING, work=work, what=what)
        events, end = await ended(await own.sandboxes.launch(launch))
        assert ([event.text for event in events], end.exit_code) == (["mine"], 0)
        assert (work / "made").read_text() == "mine\n"
        assert (work / "made").stat().st_uid == os.geteuid()
        await waiting_spare(own)


async def test_a_link_is_no_launch_folder(own, tmp_path_factory):
    await own.shell("true")
    await waiting_spare(own)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (own.folder / "link").symlink_to(elsewhere)
    launch = Launch(
        name="link", policy=MAY_START_ANYTHING, work=own.folder / "link", what=Command(argv=("id",), env={})
    )
    with pytest.raises(LaunchFailed):
        await own.sandboxes.launch(launch)


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


async def test_a_zygote_that_nobody_asks_for_ends_when_a_newer_one_starts(tmp_path, monkeypatch):
    monkeypatch.setattr("casemate.sandbox.generations._SECONDS", 0.0)
    monkeypatch.setattr("casemate.sandbox.spares._SECONDS", 0.1)
    async with Sandboxes.open(tmp_path, slots=4) as sandboxes:
        house = House(sandboxes, tmp_path)
        running = await house.launch(Command(argv=("sleep", "600"), env={}), Policy())
        busy = running._box.zygote
        await house.shell("true", Policy(visible=("/var/log",)))
        assert not busy.lost  # a sandbox of it lives
        await running.kill("enough")
        await running.end()
        await until(lambda: busy.idle)
        await house.shell("true", Policy(visible=("/var/log", "/var/cache")))
        await until(lambda: busy.lost)
        assert (await house.shell("true", Policy()))[1].exit_code == 0
