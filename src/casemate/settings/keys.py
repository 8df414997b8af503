"""What a configuration key is: its name, its kind of value, what becomes of it; and how it is found by any spelling."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """The form of a value, in the words an error uses."""

    TEXT = "text"
    FLAG = "true or false"
    NUMBER = "a whole number"
    DECIMAL = "a number"
    DURATION = "a duration such as 250ms, 5s, 10m, 1h, 7d or PT5M"
    SIZE = "a size such as 512KB, 10MB or 2GB"
    TEXTS = "a list of texts"
    PATHS = "a list of paths"  #: absolute ones; `~` is the home folder
    CHOICE = "one of the known words"
    MAP = "a map"  #: its keys are data; several files are merged key by key
    TREE = "any value"  #: kept as written, placeholders apart
    ENTRIES = "a list of entries"  #: each with keys of its own, see `profiles`


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One known key. A segment `*` stands for a name the user chooses.

    `later` says why the key has no effect yet. `guard` says the same of a key that asks for a protection: as the
    protection does not stand, asking for it is refused, so that nobody believes in a wall that is not there.
    """

    name: str
    kind: Kind
    default: object = None
    secret: bool = False
    choices: tuple[str, ...] = ()
    least: float | None = None
    later: str = ""
    guard: str = ""


@dataclass(slots=True)
class _Step:
    key: Key | None = None
    further: dict[str, _Step] = field(default_factory=dict)


class Table:
    """All known keys, found segment by segment; a name written out goes before `*`."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = tuple(keys)
        self._root = _Step()
        for key in self.keys:
            self._add(key)

    def _add(self, key: Key) -> None:
        step = self._root
        for segment in key.name.split("."):
            step = step.further.setdefault(segment, _Step())
        step.key = key

    def _step(self, path: tuple[str, ...]) -> _Step | None:
        step: _Step | None = self._root
        for segment in path:
            if step is None:
                return None
            step = step.further.get(segment) or step.further.get("*")
        return step

    def find(self, path: tuple[str, ...]) -> Key | None:
        """The key at exactly this path of canonical segments."""
        step = self._step(path)
        return step.key if step else None

    def is_section(self, path: tuple[str, ...]) -> bool:
        """True when known keys lie below this path."""
        step = self._step(path)
        return bool(step and step.further)

    def nearest(self, path: tuple[str, ...]) -> str | None:
        """The known name most like an unknown one: first among its neighbours, then anywhere."""
        parent = self._step(path[:-1])
        neighbours = [name for name in (parent.further if parent else ()) if name != "*"]
        if close := difflib.get_close_matches(path[-1], neighbours, n=1, cutoff=0.6):
            return ".".join((*path[:-1], close[0]))
        return next(iter(difflib.get_close_matches(".".join(path), self._names(), n=1, cutoff=0.75)), None)

    def nearest_variable(self, variable: str) -> str | None:
        """The environment variable most like an unknown one."""
        names = [environment_name(name) for name in self._names()]
        return next(iter(difflib.get_close_matches(variable, names, n=1, cutoff=0.75)), None)

    def _names(self) -> Iterator[str]:
        yield from (key.name for key in self.keys if "*" not in key.name)


def canonical(segment: str) -> str:
    """One segment in kebab case: `javaSecurity`, `java_security` and `java-security` are one key."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", segment)
    return apart.replace("_", "-").lower()


def segments(written: str) -> tuple[str, ...]:
    """A key as it stands in a file, which may hold dots, as canonical segments."""
    return tuple(canonical(segment) for segment in written.split("."))


def environment_name(name: str) -> str:
    """The variable that sets a key: dots and hyphens become underscores (spec/security 8.3)."""
    return name.replace(".", "_").replace("-", "_").upper()
