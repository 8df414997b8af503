"""A worker for the attacks, as a process of its own: reads launches as JSON lines, answers each with how it ended.

It runs as root and as an ordinary user, and can be killed. It has what a worker would have: secrets in its environment,
open files, other launches.
"""

import asyncio
import json
import os
import sys
import traceback
from datetime import timedelta
from pathlib import Path

from casemate.sandbox import (
    Body,
    Command,
    Egress,
    Launch,
    Level,
    Limits,
    Line,
    Policy,
    Rights,
    Sandboxes,
    Told,
    folders,
)


async def launched(sandboxes, folder, wish):
    policy = Policy(
        required=sandboxes.level,
        rights=Rights(threads=wish["threads"], processes=wish["processes"]),
        limits=Limits(**wish["limits"]),
        egress=Egress(
            open=bool(wish["egress"]),
            public=wish["egress"].get("public", True),
            allow=tuple(wish["egress"].get("allow", ())),
            deny=tuple(wish["egress"].get("deny", ())),
        ),
        visible=tuple(wish["visible"]),
        forbidden=tuple(wish["forbidden"]),
        writable=tuple(wish["writable"]),
    )
    what = Command(argv=tuple(wish["argv"]), env=wish["env"]) if "argv" in wish else Body(**wish["body"])
    return await sandboxes.launch(Launch(name=wish["name"], policy=policy, work=folder / wish["name"], what=what))


async def ended(running, wish):
    said = {"stdout": [], "stderr": [], "told": []}
    async for event in running.events():
        match event:
            case Line(stream=stream, text=text):
                said[stream].append(text)
                if text == wish["kill_at"]:
                    await running.kill("attack over", timedelta(seconds=wish["grace"]))
            case Told(message=message):
                said["told"].append(message)
    end = await running.end()
    return said | {
        "exit_code": end.exit_code,
        "signal": end.signal,
        "killed": end.killed,
        "walls": dict(end.isolation.walls),
        "denied": list(end.isolation.denied),
        "limits_hit": list(end.isolation.limits_hit),
    }


def owners(work):
    """Who owns what is in the folder, as far as a path can name it."""
    return {os.lstat(os.path.join(place, name)).st_uid for place, _, names in os.walk(work) for name in names}


async def one(sandboxes, folder, wish):
    work = folders.make(folder, wish["name"])
    for name, text in wish["files"].items():
        (work / name).write_text(text)
    for script in wish["after"]:
        earlier = wish | {"argv": ("python3", "-c", script), "kill_at": None}
        await ended(await launched(sandboxes, folder, earlier), earlier)
        folders.open_up(work)
    running = await launched(sandboxes, folder, wish)
    report = await ended(running, wish)
    report["outputs"] = [output.path for output in folders.outputs(work, tuple(wish["outputs"]))]
    report["owners"] = sorted(owners(work))
    folders.remove(work)
    report["removed"] = not work.exists()
    return report


async def tried(sandboxes, folder, wish):
    try:
        return await one(sandboxes, folder, wish)
    except Exception:
        return {"broken": traceback.format_exc()}


async def serve(folder, required):
    async with Sandboxes.open(folder, required, slots=4) as sandboxes:
        print(json.dumps({"pid": os.getpid(), "uid": os.getuid(), "level": sandboxes.level}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            reports = await asyncio.gather(*(tried(sandboxes, sandboxes.folder, wish) for wish in json.loads(line)))
            print(json.dumps(reports), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Level(sys.argv[2])))
