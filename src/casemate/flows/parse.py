"""From text or document to a flow, or to every problem that stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from casemate.catalog import Catalog, Holds
from casemate.documents import Document, Mapping, Node, Path, Reading, Scalar, examine, plain, printed
from casemate.errors import Problem
from casemate.flows.build import build_flow, build_task, build_trigger
from casemate.flows.findings import Finding, Judge, mark_of, stands
from casemate.flows.grammar import flow_schema, grammar_of
from casemate.flows.misfits import mismatch
from casemate.flows.model import Flow, Task, Trigger
from casemate.flows.rules import broken_rules
from casemate.flows.unused import told
from casemate.flows.versions import versions_in
from casemate.flows.walk import BROKEN, ILLEGAL, NAMES, Walk
from casemate.governance import Law, Outcome, govern, govern_part
from casemate.identifiers import Namespace, TenantId

TEMPLATED: Final = "io.kestra.plugin.core.templating.TemplatedTask"
"""The type of a task that writes down another one, which only its rendering brings to light."""

_CONFIGURED: Final = "a plugin default in the server's configuration makes it so"
_GOVERNED: Final = "a policy or a plugin default of the server makes it so"
_BROUGHT: Final = "a policy or a plugin default makes it so"


def read_flow(
    text: str, catalog: Catalog, tenant: TenantId, *, complete: bool = False, judge: Judge | None = None
) -> Flow | tuple[Problem, ...]:
    """The flow of a text, or every problem of the text and of what it says, in the order of their places.

    `complete`: as it is run, and `judge`: who else is asked, see `parse`.
    """
    return flow_of(examine(text), catalog, tenant, complete=complete, judge=judge)


def flow_of(
    reading: Reading, catalog: Catalog, tenant: TenantId, *, complete: bool = False, judge: Judge | None = None
) -> Flow | tuple[Problem, ...]:
    """The same for a text that was read already."""
    if reading.document is None:
        return ordered(reading.problems)
    flow = parse(reading.document, catalog, tenant, complete=complete, judge=judge)
    problems = flow if isinstance(flow, tuple) else ()
    return ordered((*reading.problems, *problems)) if reading.problems else flow


def parse(
    document: Document,
    catalog: Catalog,
    tenant: TenantId,
    *,
    complete: bool = False,
    place: Namespace | None = None,
    judge: Judge | None = None,
) -> Flow | tuple[Problem, ...]:
    """The flow that a document says, or every problem of it, in the order of their places.

    `complete`: with every plugin default and policy in place, as it is run (spec/engine 10). Its `source` and
    `document` are what was written in any case. `place` is the namespace whose rules hold, when not the flow's own.
    `judge` is asked about each task of a flow in which nothing else is wrong, with every default and policy in place.
    """
    outcome = govern(document, catalog.rules.laws(tenant, place or text_at(document, "namespace")), catalog)
    final = walk = Walk(grammar_of(catalog), versions=_versions(outcome, catalog))
    values = _read_root(document, walk)
    problems: Sequence[Problem] = walk.problems
    if outcome.document is not document or outcome.faults:
        final = Walk(walk.grammar, lenient=True)
        completed, problems = _after_rules(document, outcome, walk, final)
        # What a forced default replaces may have been wrong: then nothing of it can be shown.
        values = completed if complete or _broken(values) else values
    if judge is not None and not problems:
        problems = _objections(judge, final, document, tenant, place or Namespace(values["namespace"]))
    if problems:
        return ordered(problems)
    written = cast("dict[str, Any]", plain(document.root))
    flow = build_flow(values, walk.grammar, tenant, document.text, written)
    return replace(flow, unused=tuple(told(walk.unused)), advised=tuple(outcome.warnings()))


def parse_task(
    document: Document, catalog: Catalog, laws: Sequence[Law] = (), refs: frozenset[str] = frozenset()
) -> Task | tuple[Problem, ...]:
    """The single task that a document says, or every problem of it; paths begin at the task.

    `laws` are the rules of the place that it stands in, `refs` the policies that are referred to around it.
    """
    walk, values, problems = _read_part(document, Holds.TASK, catalog, laws, refs)
    return ordered(problems) if problems else build_task(values, walk.grammar)


def parse_trigger(document: Document, catalog: Catalog, laws: Sequence[Law] = ()) -> Trigger | tuple[Problem, ...]:
    """The single trigger that a document says, or every problem of it; paths begin at the trigger."""
    walk, values, problems = _read_part(document, Holds.TRIGGER, catalog, laws)
    return ordered(problems) if problems else build_trigger(values, walk.grammar)


def _read_part(
    document: Document, place: Holds, catalog: Catalog, laws: Sequence[Law], refs: frozenset[str] = frozenset()
) -> tuple[Walk, Any, Sequence[Problem]]:
    outcome = govern_part(document, laws, catalog, refs)
    walk = Walk(grammar_of(catalog), versions=_versions(outcome, catalog))
    values = walk.read_held(document.root, place, ())
    if outcome.document is document and not outcome.faults:
        return walk, values, walk.problems
    filled = Walk(walk.grammar, lenient=True)
    values = filled.read_held(outcome.document.root, place, ())
    return walk, values, [*_left(walk, filled), *outcome.problems(f"The {place} is refused")]


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """In the order of their places."""
    return tuple(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))


def _after_rules(
    document: Document, outcome: Outcome, walk: Walk, filled: Walk
) -> tuple[dict[str, Any], Sequence[Problem]]:
    """What the flow says, and what is wrong, once the rules have changed it: they complete tasks, and may spoil one.

    Names of properties are judged as they were written, for a default may be meant for other types too. A type that is
    unknown was written by the flow or brought in by a default: both are told.
    """
    values = _read_root(outcome.document, filled)
    walk.unused |= filled.unused
    found = _left(walk, filled)
    name = f"Flow '{text_at(document, 'namespace')}.{text_at(document, 'id')}' is refused"
    return values, [*(_explained(found, document, walk) if found else ()), *outcome.problems(name)]


def _versions(outcome: Outcome, catalog: Catalog) -> dict[Path, str]:
    """The versions that are meant once the rules are in place; what is written is judged by their properties."""
    return dict(versions_in(outcome.document.root)) if catalog.plugins.plugins else {}


def _left(written: Walk, filled: Walk) -> list[Problem]:
    """The problems of a text with its defaults in place; those with names of properties are those of the text."""
    named = [problem for problem in written.problems if problem.code in NAMES]
    return [*named, *(one for one in filled.problems if one not in named and one.code != "unknown-property")]


def _objections(judge: Judge, walk: Walk, document: Document, tenant: TenantId, namespace: Namespace) -> list[Problem]:
    """What the judge says of the tasks that a walk has met."""
    return [
        _objection(finding, _as_written((*seen.path, *finding.at), document.root), document.root)
        for seen in walk.seen
        if seen.manifest is not None
        for finding in judge(seen.manifest, seen.values, tenant, namespace)
    ]


def _objection(finding: Finding, path: Path, root: Node) -> Problem:
    """The problem at its place, or where the task stands when the flow does not say it itself."""
    mark, remedy = mark_of(root, path), finding.remedy
    return Problem(
        code="ungranted",
        message=finding.message,
        path=printed(path),
        line=mark.line,
        column=mark.column,
        remedy=remedy if stands(root, path) else _joined(_BROUGHT, remedy),
    )


def _as_written(path: Path, root: Node) -> Path:
    """Rules see the older `docker` as the `taskRunner` that it means; its author sees what was written."""
    older = tuple("docker" if step == "taskRunner" else step for step in path)
    return older if stands(root, older) and not stands(root, path) else path


def _broken(value: object) -> bool:
    match value:
        case dict():
            return any(map(_broken, value.values()))
        case list():
            return any(map(_broken, value))
    return value is BROKEN


def _explained(found: list[Problem], document: Document, walk: Walk) -> list[Problem]:
    """The problems; those that only the installation's rules cause say so, for nothing of it can be seen there."""
    own = Walk(walk.grammar, lenient=True)
    _read_root(govern(document, (), walk.grammar.catalog).document, own)
    judged = {problem.message for problem in found if problem.code != "unknown-property"}
    made = judged - {problem.message for problem in own.problems}
    because = _GOVERNED if walk.grammar.catalog.rules.placed else _CONFIGURED
    return [replace(one, remedy=_joined(because, one.remedy)) if one.message in made else one for one in found]


def _joined(because: str, remedy: str) -> str:
    return f"{because}; {remedy}" if remedy else because


def text_at(document: Document, key: str) -> str:
    """The text behind a key of the flow; nothing where there is none."""
    entry = document.root.entry(key) if isinstance(document.root, Mapping) else None
    return entry.value.text if entry is not None and isinstance(entry.value, Scalar) else ""


def _read_root(document: Document, walk: Walk) -> dict[str, Any]:
    root = document.root
    if not isinstance(root, Mapping):
        misfit = mismatch(root, flow_schema())
        walk.refuse(
            "wrong-type", ILLEGAL + misfit.message, (), root.mark, "a flow is a map with id, namespace and tasks"
        )
        return {}
    values = walk.read_object(root, flow_schema(), ())
    known = {name: value for name, value in values.items() if value is not BROKEN}
    for finding in broken_rules(known, walk.seen):
        walk.report(finding, root, ())
    return values
