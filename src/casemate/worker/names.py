"""Names of files that flows write down: which of them stay inside a working directory, and how results are called."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from casemate.worker.errors import TaskFailed

OUTSIDE: Final = "The path to resolve must be a relative path inside the current working directory."

# A file of the internal storage inside a command (spec/engine 8.6); the full stop of a sentence is no part of it.
INTERNAL: Final = re.compile(r"kestra:///[-\w.%+~#=/]*[-\w%+~#=]")

_SCHEMES: Final = ("kestra://", "file://")
_UNUSUAL: Final = re.compile(r"[^-\w.%+~#=]")


def relative(name: str) -> str:
    """The name as a plain relative path; raises `TaskFailed` for one that leads out of the working directory.

    Nobody needs `..` in the name of a file to be made, so it is refused even where it would come back inside.
    """
    steps = [step for step in name.split("/") if step not in ("", ".")]
    if not steps or name.startswith("/") or ".." in steps or "\0" in name or "\\" in name:
        raise TaskFailed(OUTSIDE)
    return "/".join(steps)


def addresses_in(value: object, levels: int = 32) -> Iterator[str]:
    """Every address of a file that a rendered property is or holds; a list or a map may be there as its JSON."""
    match value:
        case str() if value.lstrip().startswith(_SCHEMES):
            yield value.strip()
        case str() if value.lstrip()[:1] in ("[", "{"):
            yield from addresses_in(_parsed(value), levels)
        case Mapping() | list() | tuple() if levels:
            for item in value.values() if isinstance(value, Mapping) else value:
                yield from addresses_in(item, levels - 1)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def stored(path: str) -> str:
    """How a result is called in the internal storage: `‹hash of its path›-‹file name›` (spec/engine 8.6).

    Characters that could not stand in a command are replaced: a later task may name the file there.
    """
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{digest}-{_UNUSUAL.sub('_', path.rpartition('/')[2])[-200:]}"
