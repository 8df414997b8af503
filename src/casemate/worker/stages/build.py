"""Stage: what exactly runs behind the walls: a body with its properties, or a command line with its environment."""

from __future__ import annotations

from casemate.jobs import Grant
from casemate.sandbox import Body, Command, Level
from casemate.worker import copies, packages, properties, scripts
from casemate.worker.errors import TaskFailed
from casemate.worker.languages import Language
from casemate.worker.model import Job, Script, Tools
from casemate.worker.names import INTERNAL, stored


async def build(job: Job, tools: Tools) -> None:
    """Decide what to launch, and put the files there that the command line names."""
    if job.script is not None:
        job.what = await _command(job, job.script, tools)
    elif job.manifest is not None and job.manifest.body is not None:
        given = {"properties": job.properties, "place": _place(job.grant), "files": job.files}
        job.what = Body(module=job.manifest.body, job=given)


def _place(grant: Grant) -> dict[str, object]:
    return {
        "tenant": grant.place.tenant,
        "namespace": grant.place.namespace,
        "flow": grant.place.flow,
        "revision": grant.place.flow_revision,
        "execution": grant.place.execution,
        "task": grant.task.id,
        "taskRun": grant.place.task_run,
        "attempt": grant.place.attempt,
    }


async def _command(job: Job, script: Script, tools: Tools) -> Command:
    interpreter = properties.texts(job.properties, "interpreter") or scripts.INTERPRETER
    shell = scripts.is_shell(interpreter)
    lines = [
        *(scripts.understudy(script.language, tools.programs) if shell else ()),
        *_installing(job, script.language, tools),
        *[await _localised(job, tools, line) for line in properties.texts(job.properties, "beforeCommands")],
        *await _lines(job, script, tools, shell=shell),
    ]
    argv = scripts.argv(interpreter, lines, fail_fast=properties.flag(job.properties, "failFast", default=True))
    job.log.write("DEBUG", f"Starting command [{', '.join(argv)}]")
    return Command(argv=argv, env=_environment(job, script.language, tools.search))


def _installing(job: Job, language: Language, tools: Tools) -> tuple[str, ...]:
    wanted = properties.texts(job.properties, "dependencies")
    if not wanted or language.name != "python":
        return ()
    if tools.sandboxes.level is not Level.FULL:
        raise TaskFailed(
            "`dependencies` come from the network, which is closed at isolation level "
            f"'{tools.sandboxes.level}'; install them where the worker runs."
        )
    job.hidden.add(packages.FOLDER)
    return (packages.install(_program(language, tools), wanted, job.places.work),)


async def _lines(job: Job, script: Script, tools: Tools, *, shell: bool) -> list[str]:
    if script.form == "Commands":
        lines = properties.texts(job.properties, "commands")
        if not lines:
            raise TaskFailed("`commands` must not be empty.")
        return [await _localised(job, tools, line) for line in lines]
    source = await _localised(job, tools, properties.text(job.properties.get("script")))
    return [_filed(job, script.language, source, tools, shell=shell) if script.language.programs else source]


def _filed(job: Job, language: Language, source: str, tools: Tools, *, shell: bool) -> str:
    # The name cannot be imported: `json.py` beside the script would hide the module of that name from it.
    name = f".script{language.suffix}"
    copies.write(job.folder, name, language.source(source))
    job.hidden.add(name)
    return scripts.call(_program(language, tools), f"{job.places.work}/{name}", shell=shell)


def _program(language: Language, tools: Tools) -> str:
    for program in language.programs:
        if program in tools.programs:
            return program
    raise TaskFailed(
        f"This worker's machine has no '{language.programs[0]}' where sandboxes look for programs; "
        f"install it there to run {language.name} scripts."
    )


async def _localised(job: Job, tools: Tools, text: str) -> str:
    """The text with every `kestra://` file in it fetched and named by its local path."""
    local: dict[str, str] = {}
    for uri in set(INTERNAL.findall(text)):
        name = f"{copies.FOLDER}/{stored(uri)}"
        await copies.bring(tools.link, job.grant, uri, job.folder, name)
        job.hidden.add(copies.FOLDER)
        local[uri] = f"{job.places.work}/{name}"
    return INTERNAL.sub(lambda match: local[match.group()], text)


def _environment(job: Job, language: Language, search: str) -> dict[str, str]:
    own = {name: properties.text(value) for name, value in properties.mapping(job.properties, "env").items()}
    if any(not name or "\0" in text or "\0" in name or "=" in name for name, text in own.items()):
        raise TaskFailed("`env` holds a name or a value that no environment can hold.")
    if packages.FOLDER in job.hidden:
        own["PYTHONPATH"] = packages.search_path(own.get("PYTHONPATH"), job.places.work)
    directory = scripts.wants_directory(job.properties)
    return scripts.environment(language, own, job.places, search=search, output_directory=directory)
