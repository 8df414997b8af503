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
_MOST = 1 << 20


_SIDE = "outside"


async def unsandboxed(attack: Attack, bait: Bait) -> Seen:
    """Run the payload as a child of this process; what it leaves running is ended, once it was counted."""
    with tempfile.TemporaryDirectory(prefix="casemate-redteam-control-", ignore_cleanup_errors=True) as name:
        said, ended = await _run(attack, bait, Path(name))
        return seen(attack, said, ended=ended, left=_left(attack, bait), kept=_collected(attack, Path(name)), bait=bait)


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


async def _run(attack: Attack, bait: Bait, folder: Path) -> tuple[str, str]:
    mark = mark_of(attack, bait.values, _SIDE)
    program, text = (
        ("/bin/sh", "-c") if attack.runs is Runs.SHELL else (sys.executable, "-c"),
        text_of(attack, bait.values, mark),
    )
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "TOKEN": bait.token,
        **environment_of(attack, bait.values, mark),
    }
    running = await asyncio.create_subprocess_exec(
        *program, text, cwd=folder, env=environment, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_SECONDS):
            said = await _heard(running)
            code = await running.wait()
    except TimeoutError:
        return "", f"it took more than {_SECONDS} seconds"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        await running.wait()
    return said, f"signal {-code}" if code < 0 else ""


async def _heard(running: asyncio.subprocess.Process) -> str:
    """What it says, from both ends if it is much."""
    assert running.stdout is not None
    said = b""
    while piece := await running.stdout.read(1 << 16):
        said = said + piece if len(said) < _MOST else said[: _MOST // 2] + (said + piece)[-_MOST // 2 :]
        if attack_is_over(said):
            break
    return said.decode(errors="replace")


def attack_is_over(said: bytes) -> bool:
    """Whether the payload has said its last word: a process that it left may hold its output open."""
    return said.rstrip().endswith(b"}::")


def processes_with(mark: str) -> list[int]:
    """Processes of this machine that have a word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def _left(attack: Attack, bait: Bait) -> bool:
    if not attack.survives:
        return False
    left = processes_with(mark_of(attack, bait.values, _SIDE))
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
