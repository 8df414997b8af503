"""What a task ran against, in words: forbidden is absent behind the walls, and an error of the kernel names no setting.

Only what a failed task has said itself is looked at; whoever could name a forbidden path knew it before.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from casemate.sandbox import SHOWN_IN_ETC, Rights, places_of

FORBIDDEN_PATHS: Final = "kestra.ee.java-security.forbidden-paths"
_MOST: Final = 20
"""So many paths are told of for one task."""
_PATH: Final = re.compile(r"(?<![\w.~/-])/[^\s:;,'\"`´‘’“”()\[\]{}<>|*?\\\x00-\x1f]+")
_NO_THREAD: Final = re.compile(
    r"can't start new thread|pthread_create|(failed|unable) to create (new OS |native )?thread",
    re.IGNORECASE,
)
_NO_PROCESS: Final = re.compile("cannot fork", re.IGNORECASE)
_STARTING: Final = re.compile(r"fork|spawn|exec[vl]|clone", re.IGNORECASE)
_REFUSED: Final = re.compile(r"Operation not permitted|\bEPERM\b")


def no_access(path: str) -> str:
    """The words for a path that is not there because it is forbidden (spec/isolation 1.3, rule 7)."""
    return f"Access to path '{path}' is forbidden by '{FORBIDDEN_PATHS}'."


def no_threads(task_type: str, key: str) -> str:
    """The words for a thread or process that could not be started (spec/isolation 1.3, rule 7)."""
    return f"{_right(key)} creation is forbidden for '{task_type}' by '{key}'."


def _right(key: str) -> str:
    return "Process" if key.endswith(".processes") else "Thread"


class Denials:
    """Hears what one task says when it complains, and knows afterwards what it may have run against."""

    def __init__(self, task_type: str, forbidden: Iterable[str], rights: Rights) -> None:
        self._type = task_type
        self._forbidden = tuple({place for path in forbidden for place in places_of(path)})
        self._rights = rights
        self._paths: dict[str, None] = {}
        self._starting = False
        self._refused: dict[str, None] = {}

    def hear(self, text: str) -> None:
        """One line of standard error, or the message or trace of a failure."""
        if self._forbidden and "/" in text and len(self._paths) < _MOST:
            self._paths |= dict.fromkeys(self._forbidden_in(text))
        self._hear_of_rights(text)

    def messages(self) -> tuple[str, ...]:
        """What to tell the author of a task that failed: each forbidden path once, and the rule about threads."""
        started = (no_threads(self._type, key) for key in self._refused)
        return (*(no_access(path) for path in list(self._paths)[:_MOST]), *started)

    def entries(self) -> tuple[Mapping[str, object], ...]:
        """The same for the isolation report: what was missed, and the key that forbids it."""
        paths = ({"path": path, "reason": FORBIDDEN_PATHS} for path in list(self._paths)[:_MOST])
        return (*paths, *({"right": _right(key), "reason": key} for key in self._refused))

    def _hear_of_rights(self, text: str) -> None:
        # A trace comes line by line: the call first, what became of it last.
        self._starting = self._starting or bool(_STARTING.search(text))
        if _NO_THREAD.search(text):
            self._refused |= dict.fromkeys(self._keys("threads"))
        elif _NO_PROCESS.search(text) or (self._starting and _REFUSED.search(text)):
            self._refused |= dict.fromkeys(self._keys("processes"))

    def _keys(self, right: str) -> Iterator[str]:
        """The settings that took this right away; those of java-security take both."""
        other = {"threads": ".processes", "processes": ".threads"}[right]
        return (key for key in self._rights.denied_by if not key.endswith(other))

    def _forbidden_in(self, text: str) -> Iterator[str]:
        for match in _PATH.finditer(text):
            path = match.group().rstrip(".")
            plain = posixpath.normpath(path)
            if plain not in SHOWN_IN_ETC and any(_beneath(plain, wall) for wall in self._forbidden):
                yield path


def _beneath(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
