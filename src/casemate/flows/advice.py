"""What is not wrong and still worth a word: deprecated things, types under old names, careless triggers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from casemate.catalog import Catalog
from casemate.documents import Document, Mapping, Node, Scalar, Sequence, printed
from casemate.errors import Problem
from casemate.flows.grammar import flow_schema, grammar_of
from casemate.flows.links import FLOW_TRIGGER
from casemate.flows.model import Flow
from casemate.flows.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Warnings:
    """Never errors (spec/engine 1.3): paths of deprecated things, types under their old names, and warnings proper."""

    deprecations: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    advised: tuple[Problem, ...] = ()
    """What policies warn of, with its place; `warnings` has the rest."""


def warnings(flow: Flow | None, document: Document, catalog: Catalog) -> Warnings:
    """What to tell about a flow. `flow` is None when the document has problems; the rest can be said all the same."""
    return Warnings(
        deprecations=_deprecations(document, catalog),
        infos=tuple(dict.fromkeys(_relocations(document.root, catalog))),
        warnings=(*_careless_triggers(flow), *flow.unused) if flow is not None else (),
        advised=flow.advised if flow is not None else (),
    )


def _deprecations(document: Document, catalog: Catalog) -> tuple[str, ...]:
    if not isinstance(document.root, Mapping):
        return ()
    walk = Walk(grammar_of(catalog), lenient=True)
    walk.read_object(document.root, flow_schema(), ())
    return tuple(printed(path) for path in walk.deprecated)


def _relocations(node: Node, catalog: Catalog) -> Iterator[str]:
    match node:
        case Mapping(entries=entries):
            for entry in entries:
                if entry.key == "type" and isinstance(entry.value, Scalar):
                    yield from _relocation(entry.value.text, catalog)
                yield from _relocations(entry.value, catalog)
        case Sequence(items=items):
            for item in items:
                yield from _relocations(item, catalog)


def _relocation(name: str, catalog: Catalog) -> Iterator[str]:
    if (canonical := catalog.canonical(name)) != name:
        yield f"{name} is replaced by {canonical}"


def _careless_triggers(flow: Flow) -> Iterator[str]:
    for trigger in flow.triggers:
        listens = trigger.canonical == FLOW_TRIGGER
        if listens and not trigger.properties.get("conditions") and not trigger.properties.get("preconditions"):
            yield (
                "This flow will be triggered for EVERY execution of EVERY flow on your instance. "
                f"We recommend adding the preconditions property to the Flow trigger '{trigger.id}'."
            )
