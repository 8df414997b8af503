"""Rows as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from starlette.responses import Response

from casemate.api.answers import text

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(columns: Sequence[str], rows: Iterable[Mapping[str, object]], name: str) -> Response:
    """A CSV document with one row for each, to be downloaded under that name. Lists and maps are JSON."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(written.getvalue(), media_type="text/csv", headers=headers)


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
