"""What it costs to seal stored values anew: envelopes for a second, memory, and the same rows copied as they are."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from curve import Line

COUNTS = (10_000, 100_000)
A_ROW = 5
"""Envelopes in each row."""
OLD, NEW = "NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY=", "Jj8Oxw2cPzqNGL8WxIcS3Rj1lZc1q9mYfTtNw3mVQfU="
CONFIGURATION = f"kestra: {{encryption: {{secret-key: '{OLD}', keys: [{{id: new, secret: '{NEW}', primary: true}}]}}}}"


@dataclass(frozen=True)
class Spent:
    """What a program took of processors, in seconds, and at most of memory, in MiB."""

    seconds: float
    memory: float


def rotating() -> Iterable[Line]:
    """`casemate encryption rotate` as a process, over few and over many envelopes, and a copy of the same rows."""
    found: dict[int, Spent] = {}
    for count in COUNTS:
        with tempfile.TemporaryDirectory(prefix="casemate-bench-") as folder:
            state = Path(folder)
            _fill(state / "casemate.db", count)
            copied = _spent(__file__, str(state))
            found[count] = rotated = _spent("-m", "casemate", *_rotate(state))
        yield f"{count} envelopes, sealed anew", count / rotated.seconds, "/s"
        yield "  ratio, sealed anew to copied", rotated.seconds / copied.seconds, ""
        yield "  memory", rotated.memory, "MiB"
    few, many = COUNTS
    yield f"ratio of memory, {many} to {few}", found[many].memory / found[few].memory, ""


def _rotate(state: Path) -> list[str]:
    file = state / "conf.yml"
    file.write_text(CONFIGURATION)
    file.chmod(0o600)
    return ["encryption", "rotate", "-c", str(file), "--state", str(state)]


def _fill(file: Path, count: int) -> None:
    """Task runs with envelopes of the old key."""
    from casemate.keys import Keyring
    from casemate.sealed import envelope
    from casemate.secret import Secret
    from casemate.store import Database

    keys = Keyring({"default": Secret(OLD)}, "default", named=False)
    Database.open(f"sqlite:///{file}").close()
    rows = (
        ("main", f"e{number // 10:06}", f"t{number:06}", number, "SUCCESS", json.dumps({"outputs": outputs}))
        for number in range(count // A_ROW)
        for outputs in [{f"o{one}": envelope(keys.seal(f"value {one} of {number}")) for one in range(A_ROW)}]
    )
    with closing(sqlite3.connect(file)) as db, db:
        db.executemany("INSERT INTO task_runs VALUES (?, ?, ?, ?, ?, ?)", rows)


def _spent(*arguments: str) -> Spent:
    program = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return Spent(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


async def _copy(state: Path) -> None:
    """Read the same rows in the same batches and write them, each with a blank more."""
    from casemate.store import Database
    from casemate.store.envelopes import PLACES, rewrite

    db = Database.open(f"sqlite:///{state}/casemate.db")
    for place in PLACES:
        after = await db.transact(rewrite, place, None, lambda text: f"{text} ")
        while after is not None:
            after = await db.transact(rewrite, place, after, lambda text: f"{text} ")
    db.close()


if __name__ == "__main__":
    asyncio.run(_copy(Path(sys.argv[1])))
