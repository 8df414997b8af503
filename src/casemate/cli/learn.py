"""`casemate run --learn`: from the isolation reports of a run to a configuration file, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from casemate.errors import CasemateError
from casemate.executions import Execution
from casemate.learning import MARK, Lesson, document, lessons
from casemate.store import executions

if TYPE_CHECKING:
    from casemate.app import Casemate

_MODE: Final = 0o644


class PolicyNotWritten(CasemateError):
    """What was learned cannot be put where it was to be."""


def check_place(file: Path, *, force: bool) -> None:
    """Before anything runs: may the file be written? One that people wrote is kept unless `force`.

    Raises `PolicyNotWritten`.
    """
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise PolicyNotWritten(f"{file}: there is no folder {file.parent} that could be written to")
    if not file.exists() or force:
        return
    if not file.is_file():
        raise PolicyNotWritten(f"{file}: is no file")
    if not file.read_text(errors="replace").startswith(MARK):
        raise PolicyNotWritten(f"{file}: exists and was not written by --learn; --force writes over it")


async def learned_from(casemate: Casemate, execution: Execution) -> tuple[Lesson, ...]:
    """What an execution tells, and all that it started."""
    reports: list[Mapping[str, Any]] = []
    waiting, seen = [execution.id], {execution.id}
    while waiting:
        found = await casemate.db.read(executions.get, execution.tenant, waiting.pop())
        if found is None:
            continue
        attempts = (attempt for run in found.task_runs.values() for attempt in run.attempts)
        reports += [attempt.isolation for attempt in attempts if attempt.isolation]
        further = await casemate.db.read(executions.started_by, execution.tenant, (found.id,))
        waiting += [one for one in further if one not in seen]
        seen |= set(further)
    return lessons(reports)


def write(file: Path, learned: tuple[Lesson, ...], about: str) -> None:
    """Put the configuration there in one step: whoever reads it sees the old one or the new one.

    Raises `PolicyNotWritten`.
    """
    try:
        with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}-", delete=False) as draft:
            draft.write(document(learned, about))
            draft.flush()
            os.fchmod(draft.fileno(), _MODE)
            os.fsync(draft.fileno())
        os.replace(draft.name, file)
    except OSError as error:
        raise PolicyNotWritten(f"{file}: cannot be written: {error.strerror}") from error
