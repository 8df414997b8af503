"""The command line in the process of the tests, which saves the start of a Python for each call."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
import structlog

from casemate.cli import main


@dataclass(frozen=True)
class Said:
    """How a call ended, and what it wrote."""

    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _logging_ends_with_the_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A call sets up logging to the standard error of its test; no logger is to keep that when it is closed."""
    monkeypatch.setattr(structlog, "configure", partial(_configured, structlog.configure))
    yield
    structlog.reset_defaults()


def _configured(configure: Callable[..., None], **wanted: object) -> None:
    configure(**{**wanted, "cache_logger_on_first_use": False})


@pytest.fixture
def called(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """`casemate` with these arguments, `given` on its standard input."""

    def call(*arguments: object, given: bytes = b"") -> Said:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as end:
            main(list(map(str, arguments)))
        output = capsys.readouterr()
        return Said(int(end.value.code or 0), output.out, output.err)

    return call


@pytest.fixture
def validate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """`casemate flow validate` with these arguments."""

    def call(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as end:
            main(["flow", "validate", *map(str, arguments)])
        output = capsys.readouterr()
        return Said(int(end.value.code or 0), output.out, output.err)

    return call
