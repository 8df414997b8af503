"""A disk that tasks fill is kept from being full."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.sandbox import Command, Launch, Limits, Policy, Rights, Sandboxes, folders
from casemate.sandbox.disk import Room, left, reserve

pytestmark = pytest.mark.anyio

ANYTHING = Policy(rights=Rights(threads=True, processes=True), limits=Limits())
FILL = "echo filling; (while :; do head -c 1000000 /dev/zero; done) >> {place}; sleep 60"
HIDDEN = "exec 9> hidden; rm hidden; echo filling; (while :; do head -c 1000000 /dev/zero; done) >&9; sleep 60"
MANY = """exec python3 -c "
import itertools, time
try:
    for number in itertools.count(): open(str(number), 'w').close()
except OSError: time.sleep(60)
" """


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MiB and 4000 files."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m,nr_inodes=4000", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.parametrize(
    "script", [FILL.format(place="big"), HIDDEN, MANY], ids=["file", "unlinked file", "many files"]
)
async def test_whoever_fills_the_disk_is_ended_before_it_is_full(small_disk: Path, script: str):
    async with Sandboxes.open(small_disk / "launches", slots=2) as sandboxes:
        running = await launched(sandboxes, small_disk, "greedy", script)
        end = await asyncio.wait_for(running.end(), 30)
        assert end.killed == "the disk of the worker is nearly full"
        assert end.isolation.limits_hit == ("disk",)


async def test_the_largest_goes_and_the_others_stay(small_disk: Path):
    async with Sandboxes.open(small_disk / "launches", slots=2) as sandboxes:
        modest = await launched(sandboxes, small_disk, "modest", "head -c 1000 /dev/zero > small; sleep 3; exit 7")
        greedy = await launched(sandboxes, small_disk, "greedy", FILL.format(place="big"))
        assert (await asyncio.wait_for(greedy.end(), 30)).killed
        await asyncio.to_thread(folders.remove, greedy.work)
        assert (await asyncio.wait_for(modest.end(), 30)).exit_code == 7


def test_a_disk_that_is_small_already_may_be_half_used():
    assert reserve(Room(1 << 40, 10**9)) == Room(2 << 30, 50_000)
    assert reserve(Room(1 << 20, 1000)) == Room(1 << 19, 500)
    assert Room(5, 0).is_below(Room(6, 0))
    assert Room(6, 1).is_below(Room(6, 2))
    assert not Room(6, 0).is_below(reserve(Room(12, 0)))


def test_what_is_left_is_known(tmp_path: Path):
    assert left(tmp_path).size > 0


async def launched(sandboxes: Sandboxes, disk: Path, name: str, script: str):
    work = folders.make(disk / "launches", name)
    what = Command(argv=("sh", "-c", script), env={})
    return await sandboxes.launch(Launch(name=name, policy=ANYTHING, work=work, what=what))
