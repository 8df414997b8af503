"""Launching bodies and commands: what they say, how they end, what is reported."""

import asyncio
import gc
import os
import weakref
from pathlib import Path

import pytest
from tests.sandbox.conftest import MAY_START_ANYTHING, House, ended

from casemate.sandbox import Body, Command, Launch, LaunchFailed, Level, Limits, Line, Policy, Rights, Sandboxes, Told

pytestmark = pytest.mark.anyio


def lines(events, stream="stdout"):
    return [event.text for event in events if isinstance(event, Line) and event.stream == stream]


def told(events):
    return [event.message for event in events if isinstance(event, Told)]


async def test_a_body_tells_and_ends_well(house):
    events, end = await house.body("core_log", message=["one", "two"])
    assert told(events) == [{"log": {"level": "INFO", "message": text}} for text in ("one", "two")]
    assert (end.exit_code, end.signal, end.killed) == (0, None, None)


async def test_a_body_that_raises_fails_with_its_trace(house):
    events, end = await house.body("core_log", message=7)
    (failed,) = told(events)
    assert failed["failed"]["message"] == "Invalid message type 'java.lang.Integer'"
    assert "ValueError" in failed["failed"]["trace"]
    assert end.exit_code == 1


async def test_a_body_that_says_it_failed_has_failed(house):
    events, end = await house.body("core_execution_fail", errorMessage="on purpose")
    assert told(events) == [{"failed": {"message": "on purpose"}}]
    assert end.exit_code == 1


async def test_only_bodies_of_the_room_can_be_named(house):
    for module in ("os", "casemate.sandbox.zygote.serve", "casemate.inside.missing"):
        events, end = await ended(await house.launch(Body(module=module, job={}), Policy()))
        assert told(events)[0]["failed"]["message"] == f"There is no task body {module}."
        assert end.exit_code == 1


async def test_a_large_job_and_a_large_answer_get_through(house):
    text = "x" * 3_000_000
    events, _ = await house.body("core_debug_return", format=text)
    assert told(events)[-1] == {"outputs": {"value": text}}


async def test_a_command_ends_with_its_exit_code(house):
    events, end = await house.shell("echo out; echo err >&2; exit 3")
    assert lines(events) == ["out"]
    assert lines(events, "stderr") == ["err"]
    assert (end.exit_code, end.signal) == (3, None)


async def test_a_command_that_dies_of_a_signal_says_which(house):
    _, end = await house.shell("kill -USR1 $$")
    assert (end.exit_code, end.signal) == (None, 10)


async def test_a_missing_program_is_127_and_one_that_cannot_run_126(house):
    events, end = await ended(await house.launch(Command(argv=("no-such-program",), env={})))
    assert end.exit_code == 127
    assert lines(events, "stderr") == ["no-such-program: command not found"]
    _, end = await ended(await house.launch(Command(argv=("/etc/passwd",), env={})))
    assert end.exit_code == 126
    restricted = Policy(rights=Rights())
    _, end = await ended(await house.launch(Command(argv=("/etc/passwd",), env={}), restricted))
    assert end.exit_code == 126


@pytest.mark.parametrize("rights", [Rights(), Rights(threads=True, processes=True)])
@pytest.mark.parametrize(
    ("argv", "env"), [(("echo", "a\0b"), {}), (("true",), {"A=B": "c"}), (("true", "x" * 300_000), {})]
)
async def test_what_no_program_can_be_given_is_126(house, argv, env, rights):
    events, end = await ended(await house.launch(Command(argv=argv, env=env), Policy(rights=rights)))
    assert end.exit_code == 126
    assert lines(events, "stderr")


async def test_the_environment_is_what_was_given_and_four_names(house):
    events, _ = await house.shell("env", TOKEN="t", PATH="/usr/bin:/bin")
    assert sorted(set(lines(events)) - {"PWD=/work"}) == [
        "HOME=/work",
        "LANG=C.UTF-8",
        "PATH=/usr/bin:/bin",
        "TMPDIR=/tmp",
        "TOKEN=t",
    ]


async def test_python_inside_is_the_python_outside(house):
    script = "import sys; print(sys.prefix, *sys.version_info[:2])"
    events, _ = await ended(await house.launch(Command(argv=("python3", "-c", script), env={})))
    import sys

    assert lines(events) == [f"{sys.base_prefix} {sys.version_info[0]} {sys.version_info[1]}"]


async def test_lines_are_decoded_without_their_ends(house):
    events, _ = await house.shell(r"printf 'a\r\n\n\377b\nno end'")
    assert lines(events) == ["a", "", "\N{REPLACEMENT CHARACTER}b", "no end"]


async def test_a_slow_reader_slows_the_task_down_and_loses_nothing(house):
    running = await house.launch(Command(argv=("seq", "300000"), env={}))
    seen = []
    async for event in running.events():
        if len(seen) % 50_000 == 0:
            await asyncio.sleep(0.01)
        seen.append(event.text)
    await running.end()
    assert seen == [str(number) for number in range(1, 300_001)]


async def test_the_end_can_be_had_without_reading(house):
    running = await house.launch(Command(argv=("seq", "300000"), env={}))
    end = await running.end()
    assert end.exit_code == 0
    assert await running.end() == end


async def test_a_result_stays_in_the_launch_folder(house):
    running = await house.launch(Command(argv=("sh", "-c", "echo result > /work/file"), env={}))
    await running.end()
    assert (running._launch.work / "file").read_text() == "result\n"


async def test_the_report_says_what_stood_and_what_was_used(house):
    _, end = await house.shell("head -c 20000000 /dev/zero | md5sum > /dev/null")
    report = end.isolation
    assert report.level is Level.FULL
    assert set(report.walls) == {
        "files",
        "processes",
        "ipc",
        "network",
        "user",
        "privileges",
        "system calls",
        "rights",
        "limits",
    }
    assert report.policy == MAY_START_ANYTHING.digest
    assert report.allowed["processes"] is True
    assert report.resources["wallSeconds"] > 0
    assert report.resources["cpuSeconds"] > 0
    assert report.resources["peakMemoryBytes"] > 1_000_000


async def test_a_body_waits_for_a_free_slot(house):
    busy = [await house.launch(Command(argv=("sleep", "60"), env={})) for _ in range(4)]
    waiting = asyncio.create_task(house.body("core_log", message="at last"))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await busy[0].kill("make room")
    await busy[0].end()
    events, _ = await asyncio.wait_for(waiting, 20)
    assert told(events)[0]["log"]["message"] == "at last"
    for running in busy[1:]:
        await running.kill("done")
        await running.end()


async def test_many_at_once_all_end_well(house):
    async def one(number):
        events, end = await house.shell(f"echo {number}")
        return lines(events), end.exit_code

    results = await asyncio.gather(*(one(number) for number in range(24)))
    assert results == [([str(number)], 0) for number in range(24)]


async def test_a_folder_from_elsewhere_is_refused(house, tmp_path):
    for work in (tmp_path, house.folder, house.folder / "missing" / "deeper", house.folder / ".." / "x"):
        with pytest.raises(LaunchFailed):
            await house.sandboxes.launch(
                Launch(name="x", policy=Policy(), work=work, what=Command(argv=("true",), env={}))
            )


async def test_a_refused_launch_leaves_its_slot_free(house):
    for _ in range(6):
        with pytest.raises(LaunchFailed):
            await house.launch(Command(argv=("true",), env={}), Policy(visible=("/tmp/here",)))
    _, end = await house.shell("true")
    assert end.exit_code == 0


async def test_ranges_that_are_none_are_refused_before_anything_runs(house):
    from casemate.sandbox import Egress

    with pytest.raises(LaunchFailed, match="no range of addresses"):
        await house.launch(Command(argv=("true",), env={}), Policy(egress=Egress(open=True, allow=("10.0.0.0/99",))))


async def test_a_wall_that_cannot_be_built_means_that_nothing_runs(house):
    unmountable = Policy(limits=Limits(temporary=-1))
    with pytest.raises(LaunchFailed, match="A wall of the sandbox could not be built"):
        await house.launch(Command(argv=("touch", "/work/ran"), env={}), unmountable)
    assert not list(house.folder.rglob("ran"))


async def test_an_abandoned_launch_gives_its_slot_back(house):
    for _ in range(6):
        launching = asyncio.create_task(house.launch(Command(argv=("sleep", "60"), env={})))
        await asyncio.sleep(0.001)
        launching.cancel()
        await asyncio.gather(launching, return_exceptions=True)
        if not launching.cancelled() and not launching.exception():
            await launching.result().kill("too late to cancel")
            await launching.result().end()
    _, end = await asyncio.wait_for(house.shell("true"), 20)
    assert end.exit_code == 0


async def test_leaving_the_context_ends_everything(tmp_path):
    async with Sandboxes.open(tmp_path / "folder") as sandboxes:
        (tmp_path / "folder" / "work").mkdir()
        launch = Launch(
            name="x",
            policy=MAY_START_ANYTHING,
            work=tmp_path / "folder" / "work",
            what=Command(argv=("sleep", "60"), env={}),
        )
        running = await sandboxes.launch(launch)
    end = await running.end()
    assert end.killed == "the worker stops"
    assert end.signal == 9


def networks_below(zygote: int) -> list[str]:
    children = Path(f"/proc/{zygote}/task/{zygote}/children").read_text().split()
    return [os.readlink(f"/proc/{child}/ns/net") for child in children]


@pytest.mark.root
async def test_no_two_bodies_that_live_are_in_the_same_network(tmp_path):
    async with Sandboxes.open(tmp_path, slots=4) as sandboxes:
        house = House(sandboxes, tmp_path)
        sleep = Body(module="casemate.inside.core_flow_sleep", job={"properties": {"duration": "PT60S"}})
        running = [await house.launch(sleep, Policy()) for _ in range(3)]
        found = networks_below(running[0]._box.zygote._process.pid)
        assert len(set(found)) == len(found) >= 3
        assert os.readlink("/proc/self/ns/net") not in found
        for each in running:
            await each.kill("enough")
            end = await each.end()
            assert "no sockets" in end.isolation.walls["network"]


@pytest.mark.parametrize("command", [("true",), ("sleep", "0.6")], ids=["short", "watched"])
async def test_nothing_of_an_ended_launch_waits_for_the_garbage_collector(house, command):
    """Nor for the next launch: those that live for a while are looked at meanwhile."""
    gc.collect()
    gc.disable()
    try:
        running = await house.launch(Command(argv=command, env={}))
        await ended(running)
        gone = asyncio.Event()
        weakref.finalize(running, gone.set)
        del running
        async with asyncio.timeout(10):  # what it has set going may have to come to an end
            await gone.wait()
    finally:
        gc.enable()


@pytest.mark.parametrize("field", ["visible", "writable"])
@pytest.mark.parametrize("link", ["/var/tmp", "/var/run"])
async def test_what_lies_below_a_link_of_the_private_root_is_refused(house, link, field):
    """To show it, the root's links would have to be followed, on the machine."""
    wanted = Policy(**{field: (f"{link}/casemate-shown/file",)})
    with pytest.raises(LaunchFailed, match=f"inside, {link} is a link to /"):
        await house.launch(Command(argv=("true",), env={}), wanted)
    assert not any(map(os.path.exists, ("/tmp/casemate-shown", "/run/casemate-shown")))


async def test_a_limit_that_no_number_of_the_kernel_can_say_is_the_largest_there_is(house):
    huge = Policy(rights=MAY_START_ANYTHING.rights, limits=Limits(file_size=1 << 70, disk=None))
    events, end = await ended(await house.launch(Command(argv=("cat", "/proc/self/limits"), env={}), huge))
    assert end.exit_code == 0
    assert str((1 << 63) - 1) in next(line for line in lines(events) if line.startswith("Max file size"))
