"""A script task that is to run in a container: what it may ask for, and what it wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from casemate.catalog import Manifest
from casemate.containers import (
    ContainerError,
    Engines,
    Options,
    Rules,
    image_of,
    network_of,
    read_options,
    refusals,
)
from casemate.jobs import Place
from casemate.sandbox import Policy
from casemate.settings import Isolation, for_task, said_by
from casemate.worker.errors import TaskFailed
from casemate.worker.languages import Language
from casemate.worker.policy import Where

NO_ENGINE: Final = "The Docker task runner is not available on this worker."
_OFF: Final = "The Docker task runner is switched off by `{key}`."
_LEVEL: Final = (
    "`{key}: full` asks for walls that Casemate itself builds; those of a container are its engine's. "
    "Set `casemate.isolation.docker.enabled: true` to let tasks run in containers nevertheless."
)
_RIGHTS: Final = "`{key}` takes a right away that no container can be kept from; use the Process runner."


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """What the worker has for tasks in containers. `rules_for` says what one task type may ask for at one place."""

    engines: Engines
    rules_for: Callable[[Manifest, Place], Rules]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One task's container, as far as it is known before its files and its command are."""

    image: str
    options: Options
    rules: Rules
    network: str


def rules_for(
    isolation: Isolation, *, volumes: bool | None = None, private: tuple[str, ...] = ()
) -> Callable[[Manifest, Where], Rules]:
    """What answers `Docker.rules_for` under these settings; `volumes` is Kestra's own switch for them.

    `private` are places of the server that no container may mount.
    """

    def rules(manifest: Manifest, place: Where) -> Rules:
        walls = for_task(isolation, (manifest.type, *manifest.aliases), place.namespace, place.tenant)
        return Rules(
            refused=_refused(walls),
            grants=walls.docker.grants,
            network=walls.docker.network,
            capabilities=walls.docker.capabilities,
            read_only_root=walls.docker.read_only_root,
            volumes=volumes is not False,
            private=private,
        )

    return rules


def _refused(walls: Isolation) -> str:
    if walls.docker.enabled is False:
        return _OFF.format(key=said_by(walls, "docker.enabled"))
    if taken := next((right for right in ("threads", "processes") if not getattr(walls, right)), None):
        return _RIGHTS.format(key=said_by(walls, taken))
    said = walls.said.get("casemate.isolation.required-level")
    if walls.docker.enabled is None and said == "full":
        return _LEVEL.format(key=said_by(walls, "required-level"))
    return ""


def wanted(
    told: Mapping[str, object],
    image: str,
    language: Language,
    policy: Policy,
    rules: Rules,
    own: str,
) -> Wanted:
    """The container that a task wants and may have. Raises `TaskFailed` with every reason why not.

    `told` are the properties of the runner, `image` is the task's own; `own` is the worker's engine.
    """
    if rules.refused:
        raise TaskFailed(rules.refused)
    try:
        options = read_options(told)
        name = image_of(image or str(told.get("image") or "") or language.image)
    except ContainerError as error:
        raise TaskFailed(str(error)) from error
    if refused := tuple(refusals(options, rules, policy, own)):
        raise TaskFailed(*refused)
    return Wanted(image=name, options=options, rules=rules, network=network_of(options, rules, policy))
