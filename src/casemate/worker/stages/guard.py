"""Stage: is there anything to run, and can this worker run it? If not, it says so before any file is moved."""

from __future__ import annotations

from casemate.catalog import Capability, Manifest
from casemate.flows import runner_of
from casemate.sandbox import Level
from casemate.worker import properties, runners
from casemate.worker.denials import Denials
from casemate.worker.errors import TaskFailed
from casemate.worker.languages import LANGUAGES, recognise
from casemate.worker.model import Job, Script, Tools
from casemate.worker.stages.permit import check_allowed


async def guard(job: Job, tools: Tools) -> None:
    """Find out what the task type stands for; raises `TaskFailed` when this worker cannot carry it out."""
    canonical = job.grant.task.canonical
    job.manifest = tools.catalog.find(canonical)
    if job.manifest is None:
        raise TaskFailed(
            f"Invalid type: {job.grant.task.type}", f"No plugin registered for the defined type: '{canonical}'"
        )
    job.policy = tools.policy_for(job.manifest, job.grant.place)
    job.denials = Denials(job.manifest.type, job.policy.forbidden, job.policy.rights)
    _check_network(job.manifest, tools.sandboxes.level)
    if job.manifest.body is not None:
        return
    job.script = _script(job.manifest)
    check_allowed(tools.catalog, runner_of(job.properties))
    _check_script(job, tools)


def _check_network(manifest: Manifest, level: Level) -> None:
    """A script may do without, and finds out by itself."""
    if Capability.NETWORK in manifest.capabilities and level is not Level.FULL:
        raise TaskFailed(
            f"A task of type '{manifest.type}' needs the network, which is closed at isolation level '{level}'. "
            "`casemate doctor` says what this machine lacks for level 'full'."
        )


def _script(manifest: Manifest) -> Script:
    found = recognise(manifest.type) if Capability.RUNS_CODE in manifest.capabilities else None
    if found is not None:
        return Script(*found)
    if Capability.RUNS_CODE in manifest.capabilities:
        raise TaskFailed(
            f"Scripts of type '{manifest.type}' are not available in this version; available are those for "
            f"{', '.join(LANGUAGES)}."
        )
    raise TaskFailed(f"A task of type '{manifest.type}' has nothing that a worker could run.")


def _check_script(job: Job, tools: Tools) -> None:
    if reason := runners.refusal(job.properties, tools.catalog.canonical):
        raise TaskFailed(reason)
    if job.properties.get("interpreter") is not None and not properties.texts(job.properties, "interpreter"):
        raise TaskFailed("`interpreter` must not be empty.")
    for level, note in runners.unused(job.properties):
        job.log.write(level, note)
