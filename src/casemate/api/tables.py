"""Rows as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime

from starlette.responses import Response, StreamingResponse

from casemate.api.answers import text

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(columns: Sequence[str], rows: Iterable[Mapping[str, object]], name: str) -> Response:
    """A CSV document with one row for each, to be downloaded under that name. Lists and maps are JSON."""
    content = _line(columns) + "".join(_line(_cells(columns, row)) for row in rows)
    return Response(content, media_type="text/csv", headers=_named(name))


def csv_stream(columns: Sequence[str], pages: AsyncIterator[Iterable[Mapping[str, object]]], name: str) -> Response:
    """The same for more rows than should be in memory at once."""

    async def content() -> AsyncIterator[str]:
        yield _line(columns)
        async for page in pages:
            yield "".join(_line(_cells(columns, row)) for row in page)

    return StreamingResponse(content(), media_type="text/csv", headers=_named(name))


def _named(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


def _cells(columns: Sequence[str], row: Mapping[str, object]) -> list[str]:
    return [_cell(row.get(column)) for column in columns]


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(cells)
    return written.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            # A spreadsheet would run a cell like `=HYPERLINK(...)`: see test_a_cell_is_never_a_formula.
            return f"'{value}" if value.startswith(_FORMULA) else value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
    return text(value)
