"""Another task, at work while secrets are attacked: it holds the secret in its environment and in files of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from casemate.app import Casemate
from casemate.errors import Refused
from casemate.flows import Flow, read_flow
from casemate.identifiers import MAIN
from casemate.redteam.bait import SECRET, Bait
from casemate.redteam.control import processes_with
from casemate.store import Wanted

NAMESPACE = "casemate.redteam"
SHELL = "io.kestra.plugin.scripts.shell.Commands"
TOKEN = {"TOKEN": f"{{{{ secret('{SECRET}') }}}}"}
"""The environment of a task that is given the secret."""

_COMMANDS = """printf %s "$TOKEN" > mine
printf %s "$TOKEN" > /tmp/mine
echo ready
exec sleep 300.{mark}"""


@asynccontextmanager
async def another_task(casemate: Casemate, bait: Bait) -> AsyncIterator[Bait]:
    """The bait with a task more, until the context ends: its process and a file of its working directory."""
    mark = str(int(str(bait.values["digest"])[:12], 16))
    task = {"id": "other", "type": SHELL, "env": TOKEN, "commands": [_COMMANDS.format(mark=mark)]}
    flow = await casemate.save(flow_from({"id": "neighbour", "namespace": NAMESPACE, "tasks": [task]}, casemate))
    execution = await casemate.create(flow, {}, {})
    try:
        async for entry in casemate.orchestrator.watch_logs(execution.tenant, execution.id, Wanted(level="INFO")):
            if entry.message == "ready":
                break
        yield replace(bait, values={**bait.values, **_seen_from_outside(bait, mark)})
    finally:
        await casemate.orchestrator.kill(execution.tenant, execution.id)
        async for _ in casemate.orchestrator.watch(execution.tenant, execution.id):
            pass


def flow_from(written: object, casemate: Casemate) -> Flow:
    """A flow of ours; JSON is YAML. Raises `Refused` if it is not valid after all."""
    parsed = read_flow(json.dumps(written), casemate.catalog, MAIN)
    if isinstance(parsed, Flow):
        return parsed
    raise Refused(parsed)


def _seen_from_outside(bait: Bait, mark: str) -> dict[str, object]:
    files = sorted(Path(str(bait.values["state"])).glob("sandboxes/*/mine"))
    processes = processes_with(mark)
    return {"task_file": str(files[0]) if files else "", "task_process": processes[0] if processes else 0}
