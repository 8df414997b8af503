"""What is told of errors that nobody expected: their kinds, and the lines of code that they came through.

Never their texts: what an error says may hold any value that the program was at work on, those of tenants and secrets
among them, and the log of the service is read by others. What is expected is said in events of its own, covered.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from traceback import TracebackException
from types import TracebackType
from typing import Any, TypeAlias

import structlog

Raised: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]
"""An error as `sys.exc_info` gives it."""

log = structlog.get_logger(__name__)


def without_words(exc_info: Raised) -> str:
    """An error and those that it came from, the first one first, like Python's own traceback but for their texts."""
    return "".join(_lines(TracebackException(*exc_info))).rstrip("\n")


def _lines(error: TracebackException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _lines(before)
        yield "then\n"
    yield from error.stack.format()
    yield f"{error.exc_type.__qualname__}\n"
    for one in error.exceptions or ():
        yield from _lines(one)


def tell_without_words() -> None:
    """From now on also what the program ends of, and what libraries log, is told so."""
    sys.excepthook = _program
    threading.excepthook = _thread
    sys.unraisablehook = _object
    if not logging.root.handlers:
        logging.root.addHandler(_Events(logging.WARNING))


def _program(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, Exception):
        log.error("program.crashed", exc_info=(kind, error, trace))
    else:
        sys.__excepthook__(kind, error, trace)


def _thread(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None and not isinstance(crash.exc_value, SystemExit):
        log.error("thread.crashed", exc_info=(crash.exc_type, crash.exc_value, crash.exc_traceback))


def _object(crash: Any) -> None:
    if crash.exc_value is not None:
        log.error("object.crashed", exc_info=(crash.exc_type, crash.exc_value, crash.exc_traceback))


class _Events(logging.Handler):
    """What libraries log, as events of ours. Of what asyncio says only the first line: reprs of values follow."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        if record.exc_info and record.exc_info[1] is not None:
            log.error("library.crashed", library=record.name, exc_info=record.exc_info)
        else:
            said = record.getMessage().partition("\n")[0]
            log.log(record.levelno, "library.told", library=record.name, message=said)
