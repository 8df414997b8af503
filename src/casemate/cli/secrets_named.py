"""Where flows name secrets: in every text of every flow, found by the parser that renders them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from casemate.cli.files import Odd, Unreadable, flow_files, regular_text_of
from casemate.documents import Document, Mapping, Mark, Scalar, examine, split_documents
from casemate.expressions import NamedSecret, named_secrets
from casemate.identifiers import Namespace
from casemate.scanning import Locator, Span, places


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


def stored(namespace: Namespace, name: str, text: str) -> Source:
    """A flow that an instance has."""
    document = examine(text).document
    found = tuple(_mentions(document, text, 0)) if document else ()
    return Source(name=f"{namespace} / {name}", namespace=namespace, mentions=found)


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
        text, locator, after = place.text or "", Locator(place.node, lines), 0
        for one in named_secrets(text):
            span = _span(text, one, after)
            yield Mention(one, _below(locator.mark(span), before))
            after = span.end


def _span(text: str, named: NamedSecret, after: int) -> Span:
    """The name, behind what was named before if it is there, or if it cannot be told the line of the call."""
    begin = sum(len(line) for line in text.splitlines(keepends=True)[: named.line - 1])
    if not named.name:
        return Span(begin, begin)
    at = text.find(named.name, max(begin, after))
    at = text.find(named.name, begin) if at < 0 else at
    return Span(begin, begin) if at < 0 else Span(at, at + len(named.name))


def _below(mark: Mark, before: int) -> Mark:
    return Mark(mark.line + before, mark.column)
