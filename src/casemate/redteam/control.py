"""The control: the same payload without walls, as the same user, in a scratch folder. Dead here, it proves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

from casemate.redteam.bait import Bait
from casemate.redteam.model import Attack, Runs, Seen
from casemate.redteam.payload import environment_of, mark_of, text_of

_SECONDS = 20
_MESSAGE = re.compile(r"^::(\{.*\})::$", re.MULTILINE)
_MOST = 16 << 20


_SIDE = "outside"


async def unsandboxed(attack: Attack, bait: Bait) -> Seen:
    """Run the payload as a child of this process; what it leaves running is ended, once it was counted."""
    with tempfile.TemporaryDirectory(prefix="casemate-redteam-control-", ignore_cleanup_errors=True) as name:
        said, ended, left = await _run(attack, bait, Path(name))
        return seen(attack, said, ended=ended, left=left, kept=_collected(attack, Path(name)), bait=bait)


def seen(attack: Attack, said: str, *, ended: str, left: bool, kept: bytes, bait: Bait) -> Seen:
    """What came of a run, from all that could be seen of it."""
    messages = [json.loads(each)["outputs"] for each in _MESSAGE.findall(said)]
    words = {key: str(text) for each in messages for key, text in each.items()}
    got = words.get("through", "")
    if attack.survives and left:
        got = got or "a process outlived it"
    if bait.token.encode() in kept:
        got = got or "the secret was collected"
    if attack.echoes and bait.token in said:
        got = got or "the secret is in the output"
    return Seen(got=got, stopped=words.get("blocked", ""), ended=ended)


async def _run(attack: Attack, bait: Bait, folder: Path) -> tuple[str, str, bool]:
    """What it said, how it ended, and whether a process of it is left, which is then ended."""
    mark = mark_of(attack, bait.values, _SIDE)
    program = ("/bin/sh", "-c") if attack.runs is Runs.SHELL else (sys.executable, "-c")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "TOKEN": bait.token}
    # not a pipe: what the payload leaves behind may hold its output open
    with tempfile.TemporaryFile() as output:
        running = await asyncio.create_subprocess_exec(
            *program,
            text_of(attack, bait.values, mark),
            cwd=folder,
            env={**environment, **environment_of(attack, bait.values, mark)},
            start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        ended = await _ended(running)
        left = attack.survives and _still_there(mark)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        output.seek(0)
        return output.read(_MOST).decode(errors="replace"), ended, left


async def _ended(running: asyncio.subprocess.Process) -> str:
    """How it ended, if that was not a quiet exit."""
    try:
        async with asyncio.timeout(_SECONDS):
            code = await running.wait()
    except TimeoutError:
        running.kill()
        await running.wait()
        return f"it took more than {_SECONDS} seconds"
    return f"signal {-code}" if code < 0 else ""


def processes_with(mark: str) -> list[int]:
    """Processes of this machine that have a word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def _still_there(mark: str) -> bool:
    left = processes_with(mark)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return bool(left)


def _collected(attack: Attack, folder: Path) -> bytes:
    """What somebody would collect who follows every link."""
    collected = b""
    for pattern in attack.collects:
        for file in folder.glob(pattern):
            with contextlib.suppress(OSError):
                collected += file.read_bytes() if file.is_file() else b""
    return collected
