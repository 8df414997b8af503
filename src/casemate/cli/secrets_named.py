"""Where flows name secrets: in every text of every flow, found by the parser that renders them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casemate.cli.files import Odd, Unreadable, flow_files, regular_text_of
from casemate.documents import Document, Mapping, Mark, Scalar, examine, split_documents
from casemate.expressions import NamedSecret, named_secrets
from casemate.identifiers import Namespace
from casemate.scanning import Locator, Place, Span, places
from casemate.store import StoredFlow


@dataclass(frozen=True, slots=True)
class Mention:
    """One `secret(…)`, and where it stands in the source of its flow, or in its file."""

    named: NamedSecret
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One flow. `name` is that of its file, or its namespace and id; `fault` is why it cannot be judged."""

    name: str
    namespace: Namespace
    is_file: bool = False
    mentions: tuple[Mention, ...] = ()
    fault: str = ""


def stored(flow: StoredFlow) -> Source:
    """A flow of the instance."""
    document = examine(flow.source).document
    found = tuple(_mentions(document, flow.source, 0)) if document else ()
    return Source(name=f"{flow.namespace} / {flow.id}", namespace=flow.namespace, mentions=found)


def in_files(paths: Iterable[Path]) -> Iterator[Source]:
    """The flows of files, and of those below folders. Raises `Unreadable` for a path at which nothing is."""
    for file in flow_files(paths):
        if isinstance(file, Odd):
            yield _faulty(str(file.path), file.reason)
            continue
        try:
            text = regular_text_of(file)
        except Unreadable as error:
            yield _faulty(str(file), error.reason)
            continue
        for before, part in split_documents(text):
            yield _of_part(str(file), before, part)


def _of_part(file: str, before: int, text: str) -> Source:
    reading = examine(text)
    if reading.document is None:
        return _faulty(file, "; ".join(one.message for one in reading.problems))
    namespace = _namespace(reading.document)
    if not namespace:
        return _faulty(file, "this is no flow: it has no namespace")
    found = tuple(_mentions(reading.document, text, before))
    return Source(name=file, is_file=True, namespace=namespace, mentions=found)


def _faulty(file: str, fault: str) -> Source:
    return Source(name=file, namespace=Namespace(""), is_file=True, fault=fault)


def _namespace(document: Document) -> Namespace:
    entry = document.root.entry("namespace") if isinstance(document.root, Mapping) else None
    return Namespace(entry.value.text if entry is not None and isinstance(entry.value, Scalar) else "")


def _mentions(document: Document, text: str, before: int) -> Iterator[Mention]:
    lines = text.splitlines()
    for place in places(document.root):
        if isinstance(place.key, str):
            yield from (Mention(one, _below(place.mark, before)) for one in named_secrets(place.key))
        for one in named_secrets(place.text or ""):
            yield Mention(one, _below(_mark(place, one, lines), before))


def _mark(place: Place, named: NamedSecret, lines: Sequence[str]) -> Mark:
    """Where the name stands, or if that cannot be told the line that the call stands in."""
    text = place.text or ""
    begin = sum(len(line) for line in text.splitlines(keepends=True)[: named.line - 1])
    at = text.find(named.name, begin) if named.name else -1
    span = Span(begin, begin) if at < 0 else Span(at, at + len(named.name or ""))
    return Locator(place.node, lines).mark(span)


def _below(mark: Mark, before: int) -> Mark:
    return Mark(mark.line + before, mark.column)
