"""What a worker asks for a job, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ask:
    """One call of a function that only the control plane can answer.

    `function` is the name of a method of `expressions.World` (`secret`, `kv`, `read`, `file_size`, `error_logs`),
    `namespace_files` (the addresses of a namespace's files by their paths), or what the body of a core task wants
    (`kv.set`, `state.get`); `arguments` are its arguments by name.
    """

    function: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer: a value, or the text of the error that the template or the task is to fail with."""

    value: object = None
    error: str | None = None
