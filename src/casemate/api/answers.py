"""The shapes that answers share: JSON as Kestra writes it, and pages of results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta

from starlette.responses import JSONResponse

from casemate.durations import printed


class Json(JSONResponse):
    """JSON in which dates, durations and sets are written as Kestra writes them."""

    def render(self, content: object) -> bytes:
        """The bytes of a value."""
        return text(content).encode()


def text(value: object) -> str:
    """A value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_written)


def _written(value: object) -> object:
    match value:
        case date():
            return value.isoformat().replace("+00:00", "Z")
        case timedelta():
            return printed(value)
        case set() | frozenset() | tuple():
            return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def paged(results: Sequence[object], total: int) -> dict[str, object]:
    """One page of a search."""
    return {"results": list(results), "total": total}
