"""What of a task in a container no worker would carry out: said before the flow is saved (spec/isolation 7.3).

Only what is written out is judged, and only by settings. What a template makes, and what depends on the worker's
machine (its engine, the links of its file tree), is judged when the task runs; everything here is judged then again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from casemate.catalog import Capability, Catalog, Manifest
from casemate.containers import PROPERTIES, OptionRefused, read_options, refusals_anywhere
from casemate.flows import Finding, Judge
from casemate.identifiers import Namespace, TenantId
from casemate.settings import Settings
from casemate.worker import runners
from casemate.worker.docker import rules_for
from casemate.worker.errors import TaskFailed
from casemate.worker.policy import policies

_OPENINGS: Final = ("{{", "{%", "{#")
_NAMED: Final = re.compile(r"`([\w.]+)`")
_WHOLE: Final = ("credentials", "config")
"""Properties that mean nothing when a part of them is missing."""
_LATER: Final = object()
"""Stands for what only rendering brings to light."""


@dataclass(frozen=True, slots=True)
class _Site:
    """Where the task stands."""

    tenant: TenantId
    namespace: Namespace


def container_judge(catalog: Catalog, settings: Settings) -> Judge:
    """Who says which options of the Docker task runner a task may not have where it stands, under these settings."""
    policy_for = policies(settings.isolation, settings.java_security, settings.http)
    rules_at = rules_for(settings.isolation, volumes=settings.volume_enabled)

    def judge(
        manifest: Manifest, properties: Mapping[str, object], tenant: TenantId, namespace: Namespace
    ) -> Iterator[Finding]:
        told = _container(manifest, properties, catalog)
        if told is None:
            return
        site = _Site(tenant, namespace)
        section = "docker" if told == properties.get("docker") else "taskRunner"
        rules = rules_at(manifest, site)
        if rules.refused:
            yield Finding(rules.refused, (section,))
            return
        try:
            options, policy = read_options(_literal(told)), policy_for(manifest, site)
        except OptionRefused as error:
            yield Finding(str(error), (section, *_place(str(error))))
        except TaskFailed:
            return  # it is the type that may not run here, whatever its options are
        else:
            for each in refusals_anywhere(options, rules, policy):
                yield Finding(each.reason, (section, *each.option.split(".")), remedy=each.remedy)

    return judge


def _container(manifest: Manifest, properties: Mapping[str, object], catalog: Catalog) -> Mapping[str, object] | None:
    """What the Docker runner of a script is told; None where another one is asked for, or none that is known yet."""
    if Capability.RUNS_CODE not in manifest.capabilities or manifest.body is not None:
        return None
    try:
        return runners.docker_properties(properties, catalog.canonical)
    except TaskFailed:
        return None


def _literal(told: Mapping[str, object]) -> dict[str, object]:
    """The properties without templates, and without whatever is nothing by itself when a template is taken out."""
    whole = {name: value for name, value in told.items() if name not in _WHOLE or not _is_template(str(value))}
    return _pruned_map(whole)


def _pruned(value: object) -> object:
    match value:
        case str():
            return _LATER if _is_template(value) else value
        case list():
            return [each for each in map(_pruned, value) if each is not _LATER]
        case dict():
            return _pruned_map(value)
    return value


def _pruned_map(values: Mapping[str, object]) -> dict[str, object]:
    pruned = {name: _pruned(value) for name, value in values.items()}
    return {name: value for name, value in pruned.items() if value is not _LATER}


def _is_template(text: str) -> bool:
    return any(opening in text for opening in _OPENINGS)


def _place(message: str) -> tuple[str, ...]:
    """The option that a message names."""
    found = _NAMED.search(message)
    steps = tuple(found[1].split(".")) if found is not None else ()
    return steps if steps and steps[0] in PROPERTIES else ()
