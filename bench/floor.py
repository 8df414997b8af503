"""What no launch can take less than: a fork of a process like a zygote into new namespaces, whose child ends at once.

Executed as a program it is that process: `floor.py COUNT FLAGS` prints the seconds of each such fork.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

COUNT = 300
_SANDBOX = Path(__file__).resolve().parent.parent / "src" / "casemate" / "sandbox"
_OFFLINE = 0x2000_0000 | 0x2_0000 | 0x800_0000 | 0x400_0000
"""Processes, mounts, System V objects and host name, see clone(2)."""
FLOORS = {"alone": 0, "no network": _OFFLINE, "own network": _OFFLINE | 0x4000_0000}


def floors() -> Iterator[tuple[str, float, str]]:
    """For each set of namespaces how long one takes, and how many a second when every processor does nothing else."""
    for name, flags in FLOORS.items():
        yield f"floor: fork and end, {name} p50", statistics.median(_forks(_begun(flags))) * 1000, "ms"
        crowd = [_begun(flags) for _ in range(os.cpu_count() or 1)]
        yield f"floor: fork and end, {name}", sum(1 / statistics.mean(_forks(each)) for each in crowd), "/s"


def _begun(flags: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-S", __file__, str(COUNT), str(flags)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _forks(process: subprocess.Popen[str]) -> list[float]:
    said, _ = process.communicate()
    if process.returncode:
        raise SystemExit("the floor could not be measured: forks into namespaces are refused")
    return [float(word) for word in said.split()]


def _measured(count: int, flags: int) -> Iterator[float]:
    """Seconds of each fork until its child is buried, in a process that carries what a zygote carries."""
    fork_into = import_module("casemate.sandbox.kernel.namespaces").fork_into
    import_module("casemate.sandbox.zygote.serve").load_bodies("plain")
    for _ in range(count):
        begun = time.perf_counter()
        process = fork_into(flags)
        if process == 0:
            os._exit(0)
        os.waitpid(process, 0)
        yield time.perf_counter() - begun


def _become_like_a_zygote() -> None:
    """Import as its first code does, without the doors of the packages."""
    sys.path.insert(0, str(_SANDBOX / "zygote"))
    start = import_module("start")
    start.open_back_door("casemate", _SANDBOX.parent)
    start.open_back_door("casemate.sandbox", _SANDBOX)
    start.put_off("inspect")


if __name__ == "__main__":
    _become_like_a_zygote()
    print(*_measured(int(sys.argv[1]), int(sys.argv[2])))
