"""`${NAME:default}`: what stands in a text (`pieces`), and what it becomes (`Resolver`). No value is in a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from casemate import documents
from casemate.documents import Node, Scalar, Sequence
from casemate.settings.keys import segments
from casemate.settings.model import Misconfiguration
from casemate.settings.sources import Place, Written

RESERVED = frozenset({"file", "secret"})
"""`${file:/run/x}` would otherwise mean a variable `file` with a default, and a path would become the password."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One placeholder. `default` is None where none was given; an empty one is an empty tuple."""

    name: str
    default: Pieces | None


Pieces: TypeAlias = tuple["str | Reference", ...]


_DEEPEST = 16
_MOST = 1000
_LONGEST = 64 << 10
"""How deep placeholders may stand in each other, how many one value may need, and how long a text with some may be."""


class Unclosed(ValueError):
    """A placeholder is not closed."""


class TooMuch(ValueError):
    """A value asks for more than any configuration needs; resolving it could take for ever."""


def pieces(text: str) -> Pieces:
    """A text cut into literal parts and placeholders; defaults may hold placeholders again."""
    found: list[str | Reference] = []
    rest = text
    while "${" in rest:
        before, _, rest = rest.partition("${")
        inside, rest = _closed(rest)
        found += [before, _reference(inside)] if before else [_reference(inside)]
    return (*found, rest) if rest else tuple(found)


def _closed(text: str) -> tuple[str, str]:
    depth, at = 1, 0
    while at < len(text):
        if text.startswith("${", at):
            depth, at = depth + 1, at + 2
            if depth > _DEEPEST:
                raise TooMuch
            continue
        if text[at] == "}":
            depth -= 1
            if not depth:
                return text[:at], text[at + 1 :]
        at += 1
    raise Unclosed


def _reference(inside: str) -> Reference:
    name, colon, default = inside.partition(":")
    if len(default) >= 2 and default[0] == default[-1] == "`":
        default = default[1:-1]
    return Reference(name.strip(), pieces(default) if colon else None)


@dataclass(slots=True)
class Resolver:
    """Replaces placeholders by environment variables first, other configuration keys next, defaults last.

    `problems` gathers everything that could not be replaced; `used` and `variables` the configuration keys and
    environment variables that were looked at.
    """

    environ: Mapping[str, str]
    values: Mapping[str, Written]
    problems: list[Misconfiguration] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    _under_way: list[str] = field(default_factory=list)
    _resolved: int = 0

    def resolved(self, written: Written) -> Written | None:
        """The value with every placeholder in it replaced, or None where one could not be."""
        if written.place.mark is None:
            return written
        self._under_way = [written.name]
        self._resolved, before = 0, len(self.problems)
        node = mapped(written.node, lambda leaf: self._leaf(leaf, written))
        return replace(written, node=node) if len(self.problems) == before else None

    def _leaf(self, leaf: Scalar, written: Written) -> Scalar:
        if "${" not in leaf.text:
            return leaf
        place = Place(written.place.file, leaf.mark)
        try:
            text = self._text(leaf.text, place, written.spelled)
        except TooMuch:
            message = f"has placeholders more than {_DEEPEST} deep, or needs more than {_MOST} of them"
            self._report(place, written.spelled, "config.placeholder", message)
            return leaf
        return Scalar(text=text, value=text, mark=leaf.mark, plain=False)

    def _text(self, text: str, place: Place, spelled: str) -> str:
        if len(text) > _LONGEST:
            raise TooMuch
        try:
            parts = pieces(text)
        except Unclosed:
            self._report(place, spelled, "config.placeholder", "has a placeholder that is not closed with }")
            return ""
        return self._joined(parts, place, spelled)

    def _joined(self, parts: Pieces, place: Place, spelled: str) -> str:
        return "".join(part if isinstance(part, str) else self._one(part, place, spelled) for part in parts)

    def _one(self, reference: Reference, place: Place, spelled: str) -> str:
        self._resolved += 1
        if self._resolved > _MOST:
            raise TooMuch
        if reference.name in RESERVED:
            message = f"placeholders of the form ${{{reference.name}:...}} do not exist yet"
            self._report(place, spelled, "config.placeholder", message)
            return ""
        if reference.name in self.environ:
            self.variables.add(reference.name)
            return self.environ[reference.name]
        if (found := self._configured(reference.name, place, spelled)) is not None:
            return found
        if reference.default is not None:
            return self._joined(reference.default, place, spelled)
        message = f"could not resolve placeholder ${{{reference.name}}}"
        remedy = f"Set the variable {reference.name}, or give a default: ${{{reference.name}:default}}"
        self._report(place, spelled, "config.placeholder", message, remedy)
        return ""

    def _configured(self, name: str, place: Place, spelled: str) -> str | None:
        path = segments(name)
        key = ".".join(path)
        found = _leaf_at(self.values, path, name)
        if found is None or found[1].value is None:
            return None
        written, leaf = found
        self.used.add(written.name)
        if "${" not in leaf.text or written.place.mark is None:
            return leaf.text
        if key in self._under_way:
            return self._cycle(key, place, spelled)
        self._under_way.append(key)
        text = self._text(leaf.text, Place(written.place.file, leaf.mark), written.spelled)
        self._under_way.pop()
        return text

    def _cycle(self, key: str, place: Place, spelled: str) -> str:
        way = " -> ".join((*self._under_way[self._under_way.index(key) :], key))
        self._report(place, spelled, "config.placeholder", f"placeholders go round in a circle: {way}")
        return ""

    def _report(self, place: Place, spelled: str, code: str, message: str, remedy: str = "") -> None:
        self.problems.append(place.problem(code, message, path=spelled, remedy=remedy))


def _leaf_at(values: Mapping[str, Written], path: tuple[str, ...], name: str) -> tuple[Written, Scalar] | None:
    """The text behind a dotted name: a key of its own, or a leaf of a tree of which only the root has a name."""
    for length in range(len(path), 0, -1):
        written = values.get(".".join(path[:length]))
        if written is None:
            continue
        node: Node | None = written.node
        for step in path[length:]:
            node = _child(node, step)
        return (written, node) if isinstance(node, Scalar) else None
    return None


def _child(node: Node | None, step: str) -> Node | None:
    if not isinstance(node, documents.Mapping):
        return None
    return next((entry.value for entry in node.entries if ".".join(segments(entry.key)) == step), None)


def mapped(node: Node, change: Callable[[Scalar], Scalar]) -> Node:
    """The same tree with every leaf changed."""
    match node:
        case Scalar():
            return change(node)
        case Sequence(items=items):
            return replace(node, items=tuple(mapped(item, change) for item in items))
        case documents.Mapping(entries=entries):
            return replace(node, entries=tuple(replace(e, value=mapped(e.value, change)) for e in entries))
