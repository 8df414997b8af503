"""The numbers of system calls, against the lists that come with the kernel's headers, where those are installed."""

import re
from pathlib import Path

import pytest

from casemate.sandbox.kernel.machine import ARM64, X86_64

LISTS = {
    X86_64: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    ARM64: Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", LISTS, ids=lambda machine: machine.name)
def test_numbers_are_those_of_the_kernel(machine):
    if not LISTS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    text = LISTS[machine].read_text()
    listed = {name: int(number) for name, number in re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", text, re.M)}
    renamed = re.findall(r"^#define __NR_(\w+) __NR3264_(\w+)$", text, re.M)
    listed |= {name: listed[other] for name, other in renamed if other in listed}
    newer = {name for name, number in machine.numbers.items() if number > max(listed.values())}
    assert {name: listed.get(name) for name in machine.numbers.keys() - newer} == {
        name: number for name, number in machine.numbers.items() if name not in newer
    }
