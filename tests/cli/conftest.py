"""The command line in the process of the tests, which saves the start of a Python for each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from casemate.cli import main


@dataclass(frozen=True)
class Said:
    """How a call ended, and what it wrote."""

    status: int
    out: str
    err: str


@pytest.fixture
def validate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """`casemate flow validate` with these arguments."""

    def call(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as end:
            main(["flow", "validate", *map(str, arguments)])
        output = capsys.readouterr()
        return Said(int(end.value.code or 0), output.out, output.err)

    return call
