"""What this machine's kernel offers, found by trying and never by asking versions."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from casemate.sandbox import folders
from casemate.sandbox.cgroups import Cgroups
from casemate.sandbox.errors import LaunchFailed
from casemate.sandbox.launching import enclose
from casemate.sandbox.limits import amounts
from casemate.sandbox.model import Body, Launch, Level, Policy, Survey, Told, Wall
from casemate.sandbox.orders import Order
from casemate.sandbox.remedies import remedy
from casemate.sandbox.report import not_held
from casemate.sandbox.running import Running, job_message
from casemate.sandbox.templates import places_inside, privileged, template_of, user_of
from casemate.sandbox.zygotes import FIRST_CODE, RootRefused, Zygote

CANARIES = "casemate.inside.wall_canaries"
_PATIENCE = 30.0


def survey() -> Survey:
    """Build a small sandbox and try to break out of it; where that fails, try every mechanism by itself and say why.

    Blocks for some tenths of a second; may be called with or without a running event loop.
    """
    # the zygote dies with the thread that started it, so the whole survey lives in one
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _surveyed()).result()


async def explained(why: Exception) -> Survey:
    """After full walls could not be built: every mechanism by itself, what is missing and what to do about it.

    Then, what stands without the missing ones.
    """
    walls = await mechanisms()
    failed = Wall("sandbox", False, "all of them together", f"{why}.")
    try:
        less = await _less()
    except (RootRefused, LaunchFailed) as error:
        less = (Wall("container", False, "all of them together", f"{error}."),)
    level = Level.CONTAINER if _all(less) else Level.NONE
    return Survey(level, (*walls, failed), less, not_held(Level.CONTAINER, own_users=privileged()))


async def mechanisms() -> tuple[Wall, ...]:
    """Each mechanism that the walls are made of, tried by itself in a clean process."""
    tried = await asyncio.to_thread(_tried)
    return _advised_once(tuple(_wall(name, attempt) for name, attempt in tried.items()))


async def canaries(zygote: Zygote, folder: Path, groups: Cgroups) -> tuple[Wall, ...]:
    """Plant a secret, a listener and a process on this side, and have a sandbox try to reach them.

    LaunchFailed: there is no sandbox to try it from.
    """
    work = folders.make(folder, f"canaries-{os.getpid()}-{os.urandom(4).hex()}")
    places = places_inside(work, zygote.level)
    with tempfile.NamedTemporaryFile(prefix="casemate-") as secret, socket.create_server(("127.0.0.1", 0)) as listener:
        bait = {
            "secret": secret.name,
            "port": listener.getsockname()[1],
            "process": os.getpid(),
            "contained": zygote.level is Level.CONTAINER,
            "places": [places.work, places.temporary],
        }
        try:
            return await _tempted(zygote, work, bait, groups)
        finally:
            await asyncio.to_thread(folders.remove, work)


async def _surveyed() -> Survey:
    with tempfile.TemporaryDirectory(prefix="casemate-survey-") as name:
        folder = Path(name)
        try:
            walls = await _tried_together(folder, Level.FULL)
        except (RootRefused, LaunchFailed) as error:
            return await explained(error)
        return Survey(Level.FULL if _all(walls) else Level.NONE, walls)


async def _less() -> tuple[Wall, ...]:
    """The walls of level container. RootRefused, LaunchFailed: they cannot be built, either."""
    with tempfile.TemporaryDirectory(prefix="casemate-survey-") as name:
        folder = await asyncio.to_thread(folders.within_reach, Path(name))
        try:
            return await _tried_together(folder, Level.CONTAINER)
        finally:
            await asyncio.to_thread(folders.remove, folder)


def _all(walls: Iterable[Wall]) -> bool:
    return all(wall.stands for wall in walls)


async def _tried_together(folder: Path, level: Level) -> tuple[Wall, ...]:
    zygote = await Zygote.start(replace(template_of(Policy(), folder, 1, level=level), bodies="plain"))
    groups = Cgroups.found(folder, 1)
    try:
        return await canaries(zygote, folder, groups)
    finally:
        await zygote.close()
        groups.close()


async def _tempted(zygote: Zygote, work: Path, bait: Mapping[str, object], groups: Cgroups) -> tuple[Wall, ...]:
    policy = Policy(required=zygote.level)
    order = Order(
        id=0,
        kind="body",
        work=work.name,
        uid=user_of(0),
        limits=amounts(policy.limits),
        grouped=groups.controllers,
        doors=groups.doors,
    )
    if privileged():
        folders.hand_over(work, order.uid, order.uid)
    box = await enclose(zygote, order, groups.of(0))
    body = Body(module=CANARIES, job=bait)
    await box.say(job_message(body, places_inside(work, zygote.level)))
    told = await _told(Running(Launch(name="canaries", policy=policy, work=work, what=body), box))
    seen = [_seen(name, mechanism, told) for name, mechanism in box.walls.items()]
    return tuple(replace(wall, remedy=groups.remedy) if wall.name == "limits" else wall for wall in seen)


async def _told(running: Running) -> Mapping[str, object]:
    """The last word of the canaries: what got through, or how the trial run broke down."""
    last: Mapping[str, object] = {}
    async with asyncio.timeout(_PATIENCE):
        async for event in running.events():
            if isinstance(event, Told):
                last = event.message
    await running.end()
    return last


def _seen(name: str, mechanism: str, told: Mapping[str, object]) -> Wall:
    holes = told.get("outputs")
    if not isinstance(holes, dict):
        return Wall(name, False, mechanism, f"The trial run broke down, so nothing is known: {told}.")
    hole = str(holes.get(name) or "")
    return Wall(name, not hole, mechanism, hole)


def _tried() -> dict[str, dict[str, object]]:
    """The report of a clean process that tries each mechanism in a child of its own."""
    command = [sys.executable, "-I", "-S", str(FIRST_CODE), "probe"]
    done = subprocess.run(command, env={}, cwd="/", capture_output=True, timeout=_PATIENCE, check=True)  # noqa: S603 - our own file
    report: dict[str, dict[str, object]] = json.loads(done.stdout)
    return report


def _advised_once(walls: tuple[Wall, ...]) -> tuple[Wall, ...]:
    """Walls that fall for one reason need one advice: it stays with the first of them."""
    firsts = {wall.remedy: wall for wall in reversed(walls)}
    return tuple(wall if firsts[wall.remedy] is wall else replace(wall, remedy="") for wall in walls)


def _wall(name: str, attempt: Mapping[str, object]) -> Wall:
    mechanism, errno = str(attempt["mechanism"]), int(str(attempt["errno"]))
    if not errno:
        return Wall(name, True, mechanism)
    return Wall(name, False, mechanism, f"{attempt['error']}.", remedy(name, errno))
