"""What a YAML text says, and where: a tree of nodes that remember their line and column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The way from the root to a node: keys and indexes, `("tasks", 1, "id")`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the text; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf. `text` is what was written (kept for text properties: `message: yes` is `yes`), `value` what it means."""

    text: str
    value: bool | int | float | str | None
    mark: Mark
    plain: bool
    """Written without quotes or block style."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping, with the place of the key."""

    key: str
    mark: Mark
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map; keys are always text and unique, in the order written."""

    entries: tuple[Entry, ...]
    mark: Mark

    def entry(self, key: str) -> Entry | None:
        """The entry of that key, if there is one."""
        return next((entry for entry in self.entries if entry.key == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping

Plain: TypeAlias = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None
"""A tree of ordinary Python values."""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole text that could be read."""

    root: Node
    text: str


def plain(node: Node) -> Plain:
    """The tree without its places."""
    match node:
        case Scalar(value=value):
            return value
        case Sequence(items=items):
            return [plain(item) for item in items]
        case Mapping(entries=entries):
            return {entry.key: plain(entry.value) for entry in entries}


def printed(path: Path) -> str:
    """A path as users read it: `tasks[1].retry.maxAttempt`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else step)
    return text


def node_of(value: Plain, mark: Mark) -> Node:
    """A tree for ordinary values, all at one place: for what nobody wrote into the text itself."""
    match value:
        case dict():
            return Mapping(tuple(Entry(key, mark, node_of(each, mark)) for key, each in value.items()), mark)
        case list():
            return Sequence(tuple(node_of(each, mark) for each in value), mark)
        case str():
            return Scalar(value, value, mark, plain=False)
        case _:
            return Scalar("null" if value is None else str(value).lower(), value, mark, plain=True)
