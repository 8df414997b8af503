"""Limits in words, and which of them ended a sandbox."""

import signal

import pytest
from tests.sandbox.conftest import MAY_START_ANYTHING

from casemate.sandbox import Limits, Policy, limits
from casemate.sandbox.cells import Used

SOME = Limits(memory=512 << 20, processes=20, file_size=1000, disk=2 << 30, duration=90, cpu=0.5)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("memory", "memory limit 512 MiB"),
        ("processes", "process limit 20"),
        ("file_size", "file size limit 1000 bytes"),
        ("disk", "disk limit 2 GiB"),
        ("duration", "duration limit 90 s"),
        ("temporary_inodes", "temporary inode limit 100000"),
    ],
)
def test_a_limit_is_said_with_its_amount(name, words):
    assert limits.words(name, SOME) == words


@pytest.mark.parametrize(
    ("code", "used", "limit"),
    [
        (-signal.SIGKILL, Used(killed=1), "memory"),
        (128 + signal.SIGKILL, Used(killed=1), "memory"),
        (-signal.SIGKILL, Used(), None),
        (1, Used(killed=1), None),
        (-signal.SIGXFSZ, Used(), "file_size"),
        (0, Used(refused=9), None),
    ],
)
def test_what_the_kernel_ended_is_told_from_what_ended_by_itself(code, used, limit):
    assert limits.ended_by(code, used, SOME) == limit


def test_a_file_larger_than_all_files_may_be_is_the_disks_matter():
    assert limits.ended_by(-signal.SIGXFSZ, Used(), Limits(disk=1 << 20)) == "disk"
    assert limits.amounts(Limits(disk=1 << 20))["file_size"] == 1 << 20


@pytest.mark.anyio
async def test_a_process_that_the_kernel_ends_is_told_of_though_the_script_goes_on(house):
    few = Policy(rights=MAY_START_ANYTHING.rights, limits=Limits(memory=64 << 20))
    _, end = await house.shell("python3 -c 'bytearray(200 << 20)' || echo on", few)
    if "control groups (memory" not in end.isolation.walls["limits"]:
        pytest.skip("no control groups")
    assert (end.exit_code, end.killed) == (0, None)
    assert end.met == ("memory limit 64 MiB: the kernel ended 1 of its processes",)
    assert end.isolation.resources["peakMemoryBytes"] == 64 << 20
