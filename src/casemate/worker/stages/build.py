"""Stage: what exactly runs behind the walls: a body with its properties, or a command line with its environment."""

from __future__ import annotations

from casemate.catalog import Installed
from casemate.jobs import Grant
from casemate.sandbox import Body, Command, Level
from casemate.worker import copies, packages, plugins, properties, scripts
from casemate.worker.docker import Wanted
from casemate.worker.errors import TaskFailed
from casemate.worker.http_filter import is_filtered
from casemate.worker.languages import Language
from casemate.worker.model import Job, Script, Tools
from casemate.worker.names import INTERNAL, stored


async def build(job: Job, tools: Tools) -> None:
    """Decide what to launch, and put the files there that the command line names."""
    if job.script is not None:
        job.what = await _command(job, job.script, tools)
    elif job.manifest is not None and job.manifest.body is not None:
        given: dict[str, object] = {"properties": job.properties, "place": _place(job.grant), "files": job.files}
        if is_filtered(job.manifest):
            given["http"] = {"allowed": tools.http.allowed, "denied": tools.http.denied}
        wheel = await plugins.bring(job, job.manifest.origin) if isinstance(job.manifest, Installed) else ""
        job.what = Body(module=job.manifest.body, job=given, wheel=wheel)


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
    argv = await _argv(job, script, tools)
    job.log.write("DEBUG", f"Starting command [{', '.join(argv)}]")
    search = None if job.docker is not None else tools.search
    env = _environment(job, script.language, search)
    # An engine keeps what it is told, arguments and environment alike.
    if job.docker is None and scripts.speaks_shell(argv) and job.mask.tells(argv[-1]):
        argv, env = scripts.unseen(argv, env)
    return Command(argv=argv, env=env)


async def _argv(job: Job, script: Script, tools: Tools) -> tuple[str, ...]:
    interpreter = properties.texts(job.properties, "interpreter") or scripts.INTERPRETER
    shell = scripts.is_shell(interpreter)
    first = _first(job, script.language, tools) if shell else ()
    before = [
        *_installing(job, script.language, tools),
        *[await _localised(job, tools, line) for line in properties.texts(job.properties, "beforeCommands")],
    ]
    if script.form == "Script" and script.language.programs:
        program = await _filed(job, script.language, tools)
        if job.docker is None and not before and interpreter == scripts.INTERPRETER:
            return program  # what the shell would become at once: it need not start for that
        last = [_call(job, script.language, program, shell=shell)]
    else:
        last = await _lines(job, script, tools)
    lines = [*first, *before, *last]
    return scripts.argv(interpreter, lines, fail_fast=properties.flag(job.properties, "failFast", default=True))


def _call(job: Job, language: Language, program: tuple[str, ...], *, shell: bool) -> str:
    if job.docker is not None and shell:
        return scripts.call_in_image(language, program[-1])
    return scripts.call(program, shell=shell)


def _first(job: Job, language: Language, tools: Tools) -> tuple[str, ...]:
    """Lines that let a script call its language by the usual name. What an image has is known only in it."""
    if job.docker is not None:
        return scripts.understudy_in_image(language)
    return scripts.understudy(language, tools.programs)


def _installing(job: Job, language: Language, tools: Tools) -> tuple[str, ...]:
    wanted = properties.texts(job.properties, "dependencies")
    if not wanted or language.name != "python":
        return ()
    if job.docker is not None:
        _check_network(job.docker)
    elif tools.sandboxes.level is not Level.FULL:
        raise TaskFailed(
            "`dependencies` come from the network, which is closed at isolation level "
            f"'{tools.sandboxes.level}'; install them where the worker runs."
        )
    job.hidden.add(packages.FOLDER)
    return (packages.install(_program(job, language, tools), wanted, job.places.work),)


def _check_network(container: Wanted) -> None:
    if container.network == "none":
        raise TaskFailed(
            "`dependencies` come from the network, and this container has none; use an image that has them, or see "
            "`casemate.isolation.docker.network`."
        )


async def _lines(job: Job, script: Script, tools: Tools) -> list[str]:
    if script.form == "Script":
        return [await _localised(job, tools, properties.text(job.properties.get("script")))]
    lines = properties.texts(job.properties, "commands")
    if not lines:
        raise TaskFailed("`commands` must not be empty.")
    return [await _localised(job, tools, line) for line in lines]


async def _filed(job: Job, language: Language, tools: Tools) -> tuple[str, ...]:
    """The program and the file that an inline script is run from."""
    source = await _localised(job, tools, properties.text(job.properties.get("script")))
    # The name cannot be imported: `json.py` beside the script would hide the module of that name from it.
    name = f".script{language.suffix}"
    copies.write(job.folder, name, language.source(source))
    job.hidden.add(name)
    return _program(job, language, tools), f"{job.places.work}/{name}"


def _program(job: Job, language: Language, tools: Tools) -> str:
    if job.docker is not None:
        return language.common
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


def _environment(job: Job, language: Language, search: str | None) -> dict[str, str]:
    own = {name: properties.text(value) for name, value in properties.mapping(job.properties, "env").items()}
    if any(not name or "\0" in text or "\0" in name or "=" in name for name, text in own.items()):
        raise TaskFailed("`env` holds a name or a value that no environment can hold.")
    if packages.FOLDER in job.hidden:
        own["PYTHONPATH"] = packages.search_path(own.get("PYTHONPATH"), job.places.work)
    directory = scripts.wants_directory(job.properties)
    if search is None:
        return scripts.environment_in_image(language, own, job.places, output_directory=directory)
    return scripts.environment(language, own, job.places, search=search, output_directory=directory)
