"""How fast work goes on behind the walls: the same programs outside and inside, in turn."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

from boxes import SCRIPT, Boxes
from curve import Line

from casemate.sandbox import Command, folders

ROUNDS = 7
_FILES = 200
_WHEEL = "benched-1-py3-none-any.whl"
_PYTHON = f"{sys.base_prefix}/bin/python3"
"""The same interpreter on both sides: it shows inside where it is."""
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/tmp"}

_WORK = """
import json, os, shutil, subprocess, sys, time

def ran(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def stat():
    for _ in range(20000):
        os.stat("/usr/bin/env")

def opened():
    for _ in range(10000):
        os.close(os.open("/usr/bin/env", os.O_RDONLY))

def find():
    # Some folders may be closed to whoever is not root: that is no reason not to count the rest.
    subprocess.run(("find", "/usr"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def git():
    for _ in range(10):
        ran("git", "-C", "repository", "status")

def pip():
    ran(sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target", "installed", sys.argv[1])

works = {
    "find /usr": find,
    "stat": stat,
    "open and close": opened,
    "python start": lambda: ran(sys.executable, "-c", "pass"),
    "imports": lambda: ran(sys.executable, "-c", "import ssl, asyncio, http.client, sqlite3, decimal, unittest"),
    "git status": git,
    "pip install": pip,
}
spent = {}
for name, work in works.items():
    begun = time.perf_counter()
    try:
        work()
    except (OSError, subprocess.CalledProcessError):
        continue
    spent[name] = time.perf_counter() - begun
print(json.dumps(spent))
"""


async def compared(boxes: Boxes) -> AsyncIterator[Line | str]:
    """The median of each work inside over its median outside. What fails on either side is not compared."""
    outside: dict[str, list[float]] = {}
    within: dict[str, list[float]] = {}
    for number in range(ROUNDS + 1):
        for spent, found in ((outside, _outside()), (within, await _inside(boxes, number))):
            for name, seconds in found.items() if number else ():  # the first round fills the page cache
                spent.setdefault(name, []).append(seconds)
    for name in outside:
        if name not in within:
            yield f"{name}: does not work inside"
            continue
        yield f"{name}, bare", statistics.median(outside[name]) * 1000, "ms"
        yield f"  {name}, inside over bare", statistics.median(within[name]) / statistics.median(outside[name]), "x"


def _outside() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="casemate-bench-") as name:
        _furnish(Path(name))
        done = subprocess.run(_argv(), cwd=name, env=_ENVIRONMENT, check=True, capture_output=True, text=True)
        return json.loads(done.stdout)


async def _inside(boxes: Boxes, number: int) -> dict[str, float]:
    work = folders.make(boxes.folder, f"inside-{number}")
    _furnish(work)
    try:
        return json.loads(await boxes.said(Command(argv=_argv(), env=_ENVIRONMENT), SCRIPT, work))
    finally:
        folders.remove(work)


def _argv() -> tuple[str, ...]:
    return (_PYTHON, "-c", _WORK, _WHEEL)


def _furnish(folder: Path) -> None:
    """A repository with some files, and a wheel."""
    repository = folder / "repository"
    repository.mkdir()
    for number in range(_FILES):
        (repository / f"file-{number}").write_text("content\n" * number)
    if shutil.which("git"):
        for words in (("init", "-q"), ("add", ".")):
            subprocess.run(("git", *words), cwd=repository, env=dict(os.environ), check=True)
    with zipfile.ZipFile(folder / _WHEEL, "w") as wheel:
        for number in range(_FILES):
            wheel.writestr(f"benched/part{number}.py", f"number = {number}\n" * 50)
        wheel.writestr("benched-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: benched\nVersion: 1\n")
        wheel.writestr("benched-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("benched-1.dist-info/RECORD", "")
