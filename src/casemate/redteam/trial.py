"""The trial: flows made of attacks, run by the product's own services, and what can be seen of them afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from importlib.resources import files
from typing import Any

from casemate.app import Casemate
from casemate.catalog import Manifest, read_manifests
from casemate.executions import Execution, TaskRun
from casemate.redteam.bait import Bait
from casemate.redteam.control import processes_with, seen, unsandboxed
from casemate.redteam.model import Area, Attack, Result, Runs, Seen
from casemate.redteam.neighbour import NAMESPACE, SHELL, TOKEN, another_task, flow_from
from casemate.redteam.payload import address_of, environment_of, mark_of, text_of
from casemate.redteam.servers import GOOD
from casemate.settings import LimitOverrides, PluginSecurity, Settings
from casemate.store import Wanted, logs

_TYPES = {
    Runs.PYTHON: "io.kestra.plugin.scripts.python.Script",
    Runs.SHELL: SHELL,
    Runs.PLUGIN: "casemate.redteam.Payload",
    Runs.HTTP: "io.kestra.plugin.core.http.Request",
}
_SIDE = "inside"
_TOGETHER = 4
"""Attacks at once, and as many controls."""
_SMALL = {
    "disk": 64 << 20,
    "inodes": 2000,
    "memory": 256 << 20,
    "processes": 64,
    "open_files": 256,
    "file_size": 16 << 20,
    "temporary": 16 << 20,
    "output": 4 << 20,
    "line": 1 << 16,
}
"""Limits low enough for harmless attempts to pass them."""


def manifests() -> tuple[Manifest, ...]:
    """The red team's own task type, which carries out what a plugin could do that asks for nothing."""
    return read_manifests(files("casemate.redteam").joinpath("manifest.json").read_text("utf-8"))


def narrowed(settings: Settings, bait: Bait) -> Settings:
    """The operator's settings with the bait in: a shown folder, what is forbidden in it, one open host, low limits."""
    isolation, rules = settings.isolation, settings.java_security
    shown = (str(bait.shown),) if bait.shown else ()
    return replace(
        settings,
        # The walls are tried, with types that no list of the operator's knows of.
        plugin_security=PluginSecurity(),
        isolation=replace(
            isolation,
            visible_paths=(*isolation.visible_paths, *shown),
            egress=replace(isolation.egress, open=True, allow=(*isolation.egress.allow, f"{GOOD}/32")),
            limits=_lower(isolation.limits),
        ),
        java_security=replace(
            rules,
            enabled=True,
            forbidden_paths=(*rules.forbidden_paths, *map(str, bait.forbidden))
            if rules.enabled
            else tuple(map(str, bait.forbidden)),
            authorized_class_prefix=rules.authorized_class_prefix if rules.enabled else (),
            forbidden_class_prefix=rules.forbidden_class_prefix if rules.enabled else (),
        ),
    )


def _lower(limits: LimitOverrides) -> LimitOverrides:
    """The operator's limits, or the small ones where those are smaller."""
    given = {name: getattr(limits, name) or size for name, size in _SMALL.items()}
    lower: dict[str, Any] = {name: min(size, _SMALL[name]) for name, size in given.items()}
    return replace(limits, **lower)


async def tried(casemate: Casemate, attacks: Iterable[Attack], bait: Bait) -> AsyncIterator[Result]:
    """Every attack, area after area, with its control at the same time."""
    given = tuple(attacks)
    for area in Area:
        together = tuple(attack for attack in given if attack.area is area)
        if not together:
            continue
        async with another_task(casemate, bait) if area is Area.SECRETS else nullcontext(bait) as laid:
            inside, controls = await asyncio.gather(
                _behind(casemate, area.value, together, laid), _before(together, laid)
            )
        for attack, (one, walls), control in zip(together, inside, controls, strict=True):
            yield Result(attack=attack, control=control, inside=one, walls=walls)


async def _before(attacks: tuple[Attack, ...], bait: Bait) -> list[Seen]:
    """The controls, some at a time."""
    room = asyncio.Semaphore(_TOGETHER)

    async def one(attack: Attack) -> Seen:
        async with room:
            return await unsandboxed(attack, bait)

    return await asyncio.gather(*map(one, attacks))


async def _behind(
    casemate: Casemate, area: str, attacks: tuple[Attack, ...], bait: Bait
) -> list[tuple[Seen, Mapping[str, str]]]:
    """The same attacks as tasks of one flow."""
    flow = await casemate.save(flow_from(flow_of(area, attacks, bait), casemate))
    execution = await casemate.create(flow, {}, {})
    async for now in casemate.orchestrator.watch(execution.tenant, execution.id):
        execution = now
    runs = {str(run.task_id): run for run in execution.task_runs.values()}
    return [await _found(casemate, execution, attack, runs.get(attack.id), bait) for attack in attacks]


def flow_of(area: str, attacks: Iterable[Attack], bait: Bait) -> dict[str, object]:
    """A flow that makes these attacks, some at a time."""
    tasks = [_task(attack, bait) for attack in attacks]
    together = {"id": "all", "type": "io.kestra.plugin.core.flow.Parallel", "concurrent": _TOGETHER, "tasks": tasks}
    return {"id": area, "namespace": NAMESPACE, "tasks": [together]}


def _task(attack: Attack, bait: Bait) -> dict[str, object]:
    task: dict[str, object] = {"id": attack.id, "type": _TYPES[attack.runs], "timeout": "PT20S", "allowFailure": True}
    mark = mark_of(attack, bait.values, _SIDE)
    text = f"{{% raw %}}{text_of(attack, bait.values, mark)}{{% endraw %}}"
    match attack.runs:
        case Runs.PLUGIN:
            return {**task, "code": text}
        case Runs.HTTP:
            return {**task, "uri": address_of(attack, bait.values)}
        case Runs.SHELL:
            task |= {"commands": [text]}
        case Runs.PYTHON:
            task |= {"script": text}
    env = environment_of(attack, bait.values, mark) | (TOKEN if attack.echoes else {})
    return {
        **task,
        "env": env,
        "outputFiles": list(attack.collects),
    }


async def _found(
    casemate: Casemate, execution: Execution, attack: Attack, run: TaskRun | None, bait: Bait
) -> tuple[Seen, Mapping[str, str]]:
    """What a task run left: its outputs, its log, its files, its processes."""
    if run is None:
        return Seen(), {}
    outputs: Mapping[str, Any] = run.outputs or {}
    said = outputs if attack.runs is Runs.PLUGIN else outputs.get("vars", {})
    answered = str(outputs.get("body", "")).encode()
    written = await casemate.db.read(logs.of_execution, execution.tenant, execution.id, Wanted(task_run_id=run.id))
    text = "\n".join(entry.message for entry in written)
    left = attack.survives and bool(processes_with(mark_of(attack, bait.values, _SIDE)))
    files = outputs.get("outputFiles", {}).values()
    kept = b"".join([answered, *[await casemate.storage.get(execution.tenant, uri) for uri in files]])
    told = f"{text}\n::{json.dumps({'outputs': dict(said)})}::"
    isolation: Mapping[str, Any] = run.isolation or {}
    found = seen(attack, told, ended=_ended(run, written), left=left, kept=kept, bait=bait)
    if attack.area is Area.RESOURCES and isolation.get("limitsHit"):
        found = replace(found, got="")  # however far it came: its limit ended it, or failed it in the end
    return found, isolation.get("walls", {})


def _ended(run: TaskRun, written: Iterable[Any]) -> str:
    """The last error in the log of a task run that failed; one that never had a sandbox has not ended, but not run."""
    errors = [entry.message for entry in written if entry.level == "ERROR"]
    return errors[-1][:300] if errors and run.state.name != "SUCCESS" and run.isolation else ""
