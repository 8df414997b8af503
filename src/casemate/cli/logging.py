"""The log of the program itself: events with their fields, on standard error."""

from __future__ import annotations

import sys
from typing import cast

# For its development console, which we do not use, structlog would load rich: a tenth of the time of a start.
_loaded = cast("dict[str, object]", sys.modules)
_loaded.setdefault("rich", None)  # this is how Python is told that a package is not there

import structlog  # noqa: E402 - only after the line above

from casemate.cli.crashes import tell_without_words, without_words  # noqa: E402 - it loads structlog too

if _loaded["rich"] is None:
    del _loaded["rich"]


def log_to_standard_error(level: str) -> None:
    """From now on events of at least this level are written, one line each, in logfmt; of errors see `crashes`."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(without_words),
            structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event")),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    tell_without_words()
