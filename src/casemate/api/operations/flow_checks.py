"""Operations that check flows, tasks and triggers without keeping them."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable, Iterable
from dataclasses import replace

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import constraints, illegal_argument, places
from casemate.api.operation import FLOWS, Answer, Operation, Permission
from casemate.catalog import Catalog
from casemate.documents import Document, Mapping, Scalar, examine
from casemate.errors import Problem
from casemate.flows import Flow, parse_task, parse_trigger, read_flow, split_documents, warnings
from casemate.governance import Law
from casemate.identifiers import FlowId, Namespace
from casemate.store import flows as rows


async def validate_flows(call: Call) -> Answer:
    """Check every flow of a text, its documents divided by `---`."""
    documents = split_documents(await call.body_text())
    return [await _checked(call, index, line, text) for index, (line, text) in enumerate(documents)]


async def validate_task(call: Call) -> Answer:
    """Check one task, or one trigger if `section` says TRIGGERS."""
    if _section(call, "TASKS", "TRIGGERS") == "TRIGGERS":
        return await validate_trigger(call)
    return _checked_part(await call.body_text(), lambda document: parse_task(document, *_types_and_laws(call)))


async def validate_trigger(call: Call) -> Answer:
    """Check one trigger."""
    _section(call, "TRIGGERS")
    return _checked_part(await call.body_text(), lambda document: parse_trigger(document, *_types_and_laws(call)))


def _types_and_laws(call: Call) -> tuple[Catalog, tuple[Law, ...]]:
    """Nobody says in which namespace the part is to stand: what holds for the whole tenant is applied."""
    return call.deps.catalog, call.deps.catalog.rules.laws(call.tenant, "")


def _section(call: Call, *known: str) -> str:
    """Where in a flow the text stands; the first of these unless the query says otherwise."""
    section = (call.text("section") or known[0]).upper()
    if section not in known:
        raise illegal_argument(f"{section[:100]!r} is no section here, which may be {' or '.join(known)}")
    return section


async def _checked(call: Call, index: int, line: int, text: str) -> dict[str, object]:
    """What is to be said of one document, of which `line` lines of the whole text stand before."""
    found = await to_thread(read_flow, text, call.deps.catalog, call.tenant, judge=call.deps.judge)
    flow, problems = (found, ()) if isinstance(found, Flow) else (None, found)
    shown: dict[str, object] = {"index": index, "outdated": False, **_judged(_below(problems, line))}
    document = examine(text).document
    if document is None:
        return shown
    advice = warnings(flow, document, call.deps.catalog)
    told = [*advice.warnings, *(problem.message for problem in advice.advised)]
    shown |= {"deprecationPaths": list(advice.deprecations), "warnings": told, "infos": list(advice.infos)}
    shown |= {"advised": places(_below(advice.advised, line))} if advice.advised else {}
    return {**shown, **await _known(call, document)}


async def _known(call: Call, document: Document) -> dict[str, object]:
    """The flow that the document names, and whether its text is older than what is stored (spec/engine 1.3)."""
    namespace, flow_id = _scalar(document, "namespace"), _scalar(document, "id")
    shown: dict[str, object] = {"namespace": namespace, "flow": flow_id}
    if namespace is not None and flow_id is not None:
        last = await call.deps.db.read(rows.latest, call.tenant, Namespace(namespace), FlowId(flow_id))
        written = _scalar(document, "revision") or "1"
        shown["outdated"] = last is not None and written != str(last.revision + 1)
    return {name: value for name, value in shown.items() if value is not None}


def _checked_part(text: str, parse: Callable[[Document], object]) -> dict[str, object]:
    reading = examine(text)
    problems = reading.problems
    if reading.document is not None:
        found = parse(reading.document)
        problems += found if isinstance(found, tuple) else ()
    return {"index": 0, **_judged(problems)}


def _judged(problems: Iterable[Problem]) -> dict[str, object]:
    found = tuple(problems)
    return {"constraints": constraints(found), "problems": places(found)} if found else {}


def _below(problems: Iterable[Problem], line: int) -> list[Problem]:
    return [replace(one, line=one.line + line) if one.line else one for one in problems]


def _scalar(document: Document, key: str) -> str | None:
    entry = document.root.entry(key) if isinstance(document.root, Mapping) else None
    return entry.value.text or None if entry is not None and isinstance(entry.value, Scalar) else None


_VALIDATE: Permission = ("FLOW", "VALIDATE")
_PATH = "/api/v1/{tenant}/flows/validate"

TABLE = (
    Operation(
        "POST",
        _PATH,
        can=_VALIDATE,
        audit="flow:validate",
        body=FLOWS,
        returns=list[shapes.Validation],
        run=validate_flows,
    ),
    Operation(
        "POST",
        _PATH + "/task",
        can=_VALIDATE,
        audit="flow:validate",
        body=FLOWS,
        asks={"section": str},
        returns=shapes.Validation,
        run=validate_task,
    ),
    Operation(
        "POST",
        _PATH + "/trigger",
        can=_VALIDATE,
        audit="flow:validate",
        body=FLOWS,
        asks={"section": str},
        returns=shapes.Validation,
        run=validate_trigger,
    ),
)
