"""Task runs one after the other, many of them: what is left of them in this process, the kernel, and on disk.

    .venv/bin/python bench/soak.py          5000 bodies and 500 commands, then a tree of 180 processes that is killed
    .venv/bin/python bench/soak.py 1000     another number of bodies, and a tenth of it in commands

Exits with 1 if anything but the pool of waiting sandboxes is left.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, fields
from pathlib import Path

from casemate.sandbox import Body, Command, Launch, Line, Policy, Rights, Sandboxes, folders
from casemate.sandbox.kernel import cgroups
from casemate.sandbox.watchdog import family

ANYTHING = Policy(rights=Rights(threads=True, processes=True))
BODY = Body(module="casemate.inside.core_debug_return", job={"properties": {"format": "x"}})
TRUE = Command(argv=("true",), env={})
TREE = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for n in range(179):
    if not os.fork():
        os.setsid()
        time.sleep(600)
print('ready', flush=True)
time.sleep(600)
"""
_SPARES = 8
_SPARE_DESCRIPTORS = 5


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds, and what there is of it elsewhere."""

    descriptors: int
    threads: int
    processes: int
    folders: int
    groups: int
    megabytes: int


def held(folder: Path) -> Held:
    """As of now."""
    return Held(
        descriptors=len(os.listdir("/proc/self/fd")),
        threads=threading.active_count(),
        processes=len(tuple(family(os.getpid()))),
        folders=len([name for name in os.listdir(folder) if not name.startswith(".")]),
        groups=sum(len(list(Path(tree.own.path).glob("casemate-*/slot-*"))) for tree in cgroups.trees()),
        megabytes=int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20,
    )


async def launched(sandboxes: Sandboxes, folder: Path, number: int, what: Body | Command) -> None:
    """One task run, from its folder to the end of that."""
    policy = ANYTHING if isinstance(what, Command) else Policy()
    work = folder / f"run-{number}"
    running = await sandboxes.launch(Launch(name=str(number), policy=policy, work=work, what=what))
    end = await running.end()
    folders.remove(work)
    if end.exit_code != 0:
        raise SystemExit(f"A task run ended with {end}.")


async def soaked(sandboxes: Sandboxes, folder: Path, bodies: int) -> bool:
    """Whether as much is held after many task runs as after some."""
    for number in range(200):
        await launched(sandboxes, folder, number, TRUE if number % 10 == 0 else BODY)
    before, began = held(folder), time.monotonic()
    for number in range(bodies + bodies // 10):
        await launched(sandboxes, folder, number, TRUE if number % 11 == 10 else BODY)
    seconds, after = time.monotonic() - began, held(folder)
    print(f"{bodies} bodies and {bodies // 10} commands in {seconds:.0f} s, {bodies * 1.1 / seconds:.0f} a second")
    for field in fields(Held):
        print(f"  {field.name:<12} {getattr(before, field.name):>5} before, {getattr(after, field.name):>5} after")
    return after.descriptors <= before.descriptors + _SPARES * _SPARE_DESCRIPTORS and not after.folders


async def killed(sandboxes: Sandboxes, folder: Path) -> None:
    """How long a tree of 180 processes in sessions of their own, deaf to SIGTERM, lives on."""
    for number in range(5):
        work = folder / f"tree-{number}"
        what = Command(argv=("python3", "-c", TREE), env={})
        running = await sandboxes.launch(Launch(name=work.name, policy=ANYTHING, work=work, what=what))
        async for event in running.events():
            if isinstance(event, Line) and event.text == "ready":
                break
        tree = [each for each in family(os.getpid()) if _is_of(each, "setsid")]
        began = time.monotonic()
        await running.kill("measured")
        took = time.monotonic() - began
        left = [each for each in tree if _is_of(each, "setsid")]
        print(f"  {len(tree)} processes, gone after {took * 1000:.1f} ms, {len(left)} left")
        await running.end()
        folders.remove(work)


def _is_of(process: int, words: str) -> bool:
    try:
        return words in Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return False


async def main(bodies: int) -> int:
    """Measure, print, and say whether it was as it should be."""
    with tempfile.TemporaryDirectory(prefix="casemate-soak-") as name:
        async with Sandboxes.open(Path(name)) as sandboxes:
            clean = await soaked(sandboxes, Path(name), bodies)
            print("a tree is killed:")
            await killed(sandboxes, Path(name))
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)))
