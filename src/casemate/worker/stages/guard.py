"""Stage: is there anything to run, and can this worker run it? If not, it says so before any file is moved."""

from __future__ import annotations

from casemate.catalog import Capability, Manifest
from casemate.containers import WORK, secrets_of
from casemate.flows import Task
from casemate.sandbox import Level, Policy
from casemate.worker import docker, properties, runners
from casemate.worker.denials import Denials
from casemate.worker.errors import TaskFailed
from casemate.worker.languages import LANGUAGES, recognise
from casemate.worker.model import Job, Script, Tools
from casemate.worker.stages.permit import check_allowed, check_runner


async def guard(job: Job, tools: Tools) -> None:
    """Find out what the task type stands for; raises `TaskFailed` when this worker cannot carry it out."""
    job.manifest = _manifest(job.grant.task, tools)
    job.policy = tools.policy_for(job.manifest, job.grant.place)
    job.denials = Denials(job.manifest.type, job.policy.forbidden, job.policy.rights)
    _check_network(job.manifest, tools.sandboxes.level)
    if job.manifest.body is not None:
        if Capability.RUNS_CODE in job.manifest.capabilities:
            check_runner(tools.catalog, runners.PROCESS)
        return
    job.script = _script(job.manifest)
    _check_script(job)
    job.docker = _container(job, job.manifest, job.policy, job.script, tools)
    runner = runners.PROCESS if job.docker is None else runners.DOCKER
    check_allowed(tools.catalog, runner)
    check_runner(tools.catalog, runner)
    for level, note in runners.unused(job.properties, in_container=job.docker is not None):
        job.log.write(level, note)


def _manifest(task: Task, tools: Tools) -> Manifest:
    found = tools.catalog.find(task.canonical, task.version)
    if found is None and task.version is not None:
        raise TaskFailed(f"No version '{task.version}' of '{task.canonical}' is installed on this worker any more.")
    if found is None:
        raise TaskFailed(f"Invalid type: {task.type}", f"No plugin registered for the defined type: '{task.canonical}'")
    return found


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


def _check_script(job: Job) -> None:
    if job.properties.get("interpreter") is not None and not properties.texts(job.properties, "interpreter"):
        raise TaskFailed("`interpreter` must not be empty.")


def _container(job: Job, manifest: Manifest, policy: Policy, script: Script, tools: Tools) -> docker.Wanted | None:
    """The container that the script is to run in; None when it runs in a sandbox."""
    told = runners.docker_properties(job.properties, tools.catalog.canonical)
    if told is None:
        return None
    # What is denied by a container is no wall of ours, and its words for it name no setting.
    job.denials = None
    image = properties.text(job.properties.get("containerImage"))
    if tools.docker is None:
        raise TaskFailed(docker.NO_ENGINE)
    if job.places.work != WORK:
        raise TaskFailed("The type of a task runner cannot be a template.")
    rules = tools.docker.rules_for(manifest, job.grant.place)
    found = docker.wanted(told, image, script.language, policy, rules, tools.docker.engines.own)
    job.mask.add_all(secrets_of(found.options))
    return found
