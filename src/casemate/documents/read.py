"""From text to a tree with places: libyaml's events and our own builder, so that no YAML feature runs unasked.

Kestra's reader knows neither aliases nor merge keys: `*x` is the text `x`, `<<` a key like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NoReturn

import yaml

from casemate.documents.hints import QUOTE_EXPRESSION, hint
from casemate.documents.model import Document, Entry, Mapping, Mark, Node, Path, Scalar, Sequence, printed
from casemate.documents.scalars import Malformed, meaning, tagged
from casemate.errors import Problem, Refused

MAX_BYTES: Final = 1024 * 1024
MAX_NODES: Final = 200_000
MAX_DEPTH: Final = 200
"""Lists and maps in each other. 64 tasks inside each other cost two each (three in a Dag), and hold something too."""

_START: Final = Mark(1, 1)
_NOT_TEXT: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read, and every problem met on the way. With a syntax error there is no document."""

    document: Document | None
    problems: tuple[Problem, ...]


def read(text: str, *, subject: str = "flow yaml", aliases: bool = True) -> Document:
    """The document of a text, or its first one. Raises `Refused` with every problem found.

    `subject` names what is read in the messages (`Illegal flow yaml: ...`). Where Kestra's reader would follow aliases
    and merge keys, `aliases=False` refuses them: taken for texts they would mean something else.
    """
    reading = examine(text, subject=subject, aliases=aliases)
    if reading.problems or reading.document is None:
        raise Refused(reading.problems)
    return reading.document


def examine(text: str, *, subject: str = "flow yaml", aliases: bool = True) -> Reading:
    """Like `read`, but keeps what is readable beside the problems: of a key given twice, the first one."""
    builder = _Builder(subject, aliases)
    try:
        builder.check_text(text)
        root = builder.build(text.removeprefix("\ufeff"))
    except _GivenUp:
        return Reading(None, tuple(builder.problems))
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_syntax_problem(error, text, subject))
        return Reading(None, tuple(builder.problems))
    return Reading(Document(root, text), tuple(builder.problems))


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, subject: str) -> Problem:
    """The parser's complaint, at the place where the trouble starts rather than where the text ends."""
    lines = text.splitlines()
    cause = error.problem or "cannot be read"
    mark = error.problem_mark or error.context_mark
    if error.context_mark is not None and mark is not None and mark.line >= len(lines):
        mark = error.context_mark
        cause = cause if "end of stream" in cause else f"{cause} before the end of stream"
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return Problem(
        code="yaml-syntax",
        message=f"Illegal {subject}: " + (f"{error.context}, {cause}" if error.context else cause),
        line=line + 1,
        column=column + 1,
        remedy=hint(lines[line] if line < len(lines) else "", cause, column),
    )


class _GivenUp(Exception):
    """A limit is reached: whatever else is wrong with the text does not matter."""


@dataclass(slots=True)
class _Open:
    """A list or map whose end has not come yet. Of a map, `key` is the one that waits for its value."""

    mark: Mark
    items: list[Node] | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    key: str | None = None
    key_mark: Mark = _START
    dropped: bool = False
    """The value to come belongs to a key that was refused."""

    def close(self) -> Node:
        """The finished node."""
        if self.items is not None:
            return Sequence(tuple(self.items), self.mark)
        return Mapping(tuple(self.entries.values()), self.mark)


class _Builder:
    """Builds one tree and collects the problems met."""

    def __init__(self, subject: str, aliases: bool) -> None:
        self.problems: list[Problem] = []
        self._subject = subject
        self._aliases = aliases
        self._open: list[_Open] = []
        self._nodes = 0

    def check_text(self, text: str) -> None:
        """What must hold before a parser may look at the text."""
        if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            self._give_up("yaml-limit", f"the text is larger than {MAX_BYTES} bytes", _START)
        if strange := _NOT_TEXT.search(text):
            before = text[: strange.start()]
            mark = Mark(before.count("\n") + 1, strange.start() - before.rfind("\n"))
            self._give_up("yaml-syntax", f"character U+{ord(strange[0]):04X} is not allowed", mark)

    def build(self, text: str) -> Node:
        """The tree of the first document of the text."""
        root, ended = None, False
        for event in yaml.parse(text, yaml.CSafeLoader):
            if ended:  # one event further than the document: rubbish behind its end is a syntax error
                break
            node = self._node(event)
            ended = isinstance(event, yaml.DocumentEndEvent)
            if node is not None and self._open:
                self._add(node)
            elif node is not None:
                root = node
        if root is None:
            self._give_up("yaml-syntax", "No content to map due to end-of-input", _START)
        return root

    def _node(self, event: yaml.Event) -> Node | None:
        """The node that this event completes, if it does."""
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.CollectionEndEvent):
            return self._open.pop().close()
        if isinstance(event, yaml.CollectionStartEvent):
            self._enter(_Open(self._mark(event), None if isinstance(event, yaml.MappingStartEvent) else []))
        elif isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor or "", self._mark(event))
        return None

    def _alias(self, name: str, mark: Mark) -> Scalar:
        if not self._aliases:
            remedy = "write the value itself, or put quotes around a text that begins with *"
            self._refuse("yaml-alias", f"*{name} is an alias, and aliases are not followed", mark, remedy=remedy)
        return Scalar(name, name, mark, plain=True)

    def _mark(self, event: yaml.Event) -> Mark:
        """Where a new node begins; it is counted here."""
        start = event.start_mark
        assert start is not None
        mark = Mark(start.line + 1, start.column + 1)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._give_up("yaml-limit", f"the document has more than {MAX_NODES} values", mark)
        return mark

    def _enter(self, opened: _Open) -> None:
        # Refused while reading: a hundred thousand brackets must not become a tree that something recurses over.
        if len(self._open) >= MAX_DEPTH:
            self._give_up("yaml-limit", f"the document is nested deeper than {MAX_DEPTH} levels", opened.mark)
        self._open.append(opened)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        text, mark = event.value, self._mark(event)
        plain = not event.style and event.tag is None
        value = meaning(text) if plain else tagged(text, event.tag) if event.tag else text
        if isinstance(value, Malformed):
            self._refuse("yaml-scalar", value.message, mark, remedy="put quotes around it if it is text")
            value = None
        return Scalar(text, value, mark, plain)

    def _add(self, node: Node) -> None:
        parent = self._open[-1]
        if parent.items is not None:
            parent.items.append(node)
        elif parent.key is None:
            self._take_key(parent, node)
        else:
            if not parent.dropped:
                parent.entries[parent.key] = Entry(parent.key, parent.key_mark, node)
            parent.key = None

    def _take_key(self, parent: _Open, node: Node) -> None:
        parent.key_mark = node.mark
        parent.dropped = True
        if not isinstance(node, Scalar):
            parent.key = ""
            message = "Expected a field name (Scalar value in YAML), got a list or a map instead"
            self._refuse("yaml-key", message, node.mark, remedy=QUOTE_EXPRESSION)
            return
        parent.key = node.text
        if node.text == "<<" and not self._aliases:
            self._refuse(
                "yaml-alias", "merge keys (<<) are not followed", node.mark, remedy="write the keys themselves"
            )
        elif first := parent.entries.get(node.text):
            remedy = f"it is given in line {first.mark.line} already"
            self._refuse("duplicate-key", f"Duplicate field '{node.text}'", node.mark, remedy=remedy)
        else:
            parent.dropped = False

    def _refuse(self, code: str, message: str, mark: Mark, *, remedy: str = "") -> None:
        path = printed(self._path())
        message = f"Illegal {self._subject}: {message}"
        line, column = mark.line, mark.column
        self.problems.append(Problem(code=code, message=message, path=path, line=line, column=column, remedy=remedy))

    def _give_up(self, code: str, message: str, mark: Mark) -> NoReturn:
        self._open.clear()  # a path of two hundred steps helps nobody
        self._refuse(code, message, mark)
        raise _GivenUp

    def _path(self) -> Path:
        steps = [len(each.items) if each.items is not None else each.key for each in self._open]
        return tuple(step for step in steps if step not in (None, ""))
