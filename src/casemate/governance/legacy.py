"""What a script task says in an older way, or does not say, as the rules must see it (spec/isolation 17 W4, U10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from casemate.documents import Entry, Mapping, Node, Scalar, node_of
from casemate.governance.matching import Types
from casemate.governance.places import type_of, with_entry

RUNNER: Final = "taskRunner"
_OLD: Final = ("runner", "docker")
_RUNNERS: Final = {
    "PROCESS": "io.kestra.plugin.core.runner.Process",
    "DOCKER": "io.kestra.plugin.scripts.runner.docker.Docker",
}
_IMAGE: Final = "containerImage"


def modern(node: Mapping, types: Types) -> Mapping:
    """The object with `runner` and `docker` said as its `taskRunner`; they go before one that is written out too.

    So they do when a script is carried out (spec/engine 8.2): rules must see what would be done.
    """
    old = {entry.key: entry for entry in node.entries if entry.key in _OLD and not _is_null(entry.value)}
    if not old or not _has_runner(node, types):
        return node
    rest = replace(node, entries=tuple(entry for entry in node.entries if entry.key not in _OLD))
    own = rest.entry(RUNNER)
    written = own.value if own is not None else None
    kind = _kind(old.get("runner"), written)
    if kind is None:
        return rest
    docker = old.get("docker")
    runner = _options(kind, docker.value if docker is not None else None, written, types)
    mark = next(iter(old.values())).mark
    rest = with_entry(rest, Entry(RUNNER, mark, Mapping((Entry("type", mark, node_of(kind, mark)), *runner), mark)))
    return _with_image(rest, docker.value) if docker is not None and isinstance(docker.value, Mapping) else rest


def _has_runner(node: Mapping, types: Types) -> bool:
    facts = types.facts(type_of(node) or "") or {}
    known = facts.get("manifest.properties")
    return isinstance(known, list) and RUNNER in known


def _kind(asked: Entry | None, written: Node | None) -> str | None:
    """The type that the runner has; one that nobody knows is refused where types are looked up."""
    if asked is not None and isinstance(asked.value, Scalar):
        return _RUNNERS.get(asked.value.text.upper(), asked.value.text)
    return type_of(written) if written is not None else None


def _options(kind: str, docker: Node | None, written: Node | None, types: Types) -> tuple[Entry, ...]:
    """The options of a runner of this type: those of `docker` replace those of a written one."""
    named = types.names(kind)
    if isinstance(docker, Mapping) and _RUNNERS["DOCKER"] in named:
        return tuple(entry for entry in docker.entries if entry.key not in ("image", "type"))
    if isinstance(written, Mapping) and type_of(written) in named:
        return tuple(entry for entry in written.entries if entry.key != "type")
    return ()


def _with_image(node: Mapping, docker: Mapping) -> Mapping:
    image = docker.entry("image")
    return node if image is None or node.entry(_IMAGE) is not None else with_entry(node, replace(image, key=_IMAGE))


def whole(node: Mapping, types: Types) -> Mapping:
    """The object with the objects in place that its type has where nothing is said: its task runner."""
    for name, value in types.implied(type_of(node) or "").items():
        if _is_missing(node, name):
            node = with_entry(node, Entry(name, node.mark, node_of(value, node.mark)))
    return node


def _is_missing(node: Mapping, name: str) -> bool:
    entry = node.entry(name)
    return entry is None or _is_null(entry.value)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None
