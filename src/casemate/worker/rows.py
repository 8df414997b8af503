"""A body reads rows, and its task has a template for them: the worker fills it in, as no template is rendered inside.

Only templates of the task itself: a body cannot bring its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from casemate.expressions import ExpressionError
from casemate.worker import properties
from casemate.worker.errors import TaskFailed
from casemate.worker.model import Job, Tools
from casemate.worker.templates import Templates, templates

MOST: Final = 10_000
"""Rows in one question."""
LARGEST: Final = 8 << 20
"""Characters in one answer."""


async def rendered(job: Job, tools: Tools, arguments: Mapping[str, object]) -> list[dict[str, object]]:
    """The template of a property for each of the rows: `{value}`, the text that it gives, or `{error}`."""
    name, rows = arguments.get("property"), arguments.get("rows")
    schema = job.manifest.schema.properties.get(str(name)) if job.manifest is not None else None
    if schema is None or not schema.late:
        raise TaskFailed(f"There is no template '{str(name)[:100]}' for rows.")
    if not isinstance(rows, list) or len(rows) > MOST:
        raise TaskFailed(f"The argument 'rows' must be a list of at most {MOST}.")
    template = job.properties.get(str(name))
    return await templates(job, tools, lambda given: list(_each(template, rows, given)))


def _each(template: object, rows: Iterable[object], given: Templates) -> Iterator[dict[str, object]]:
    characters = 0
    for row in rows:
        filled = _one(template, row, given)
        yield filled
        characters += sum(len(str(text)) for text in filled.values())
        if characters > LARGEST:
            raise TaskFailed(f"The template gives more than {LARGEST} characters together.")


def _one(template: object, row: object, given: Templates) -> dict[str, object]:
    fields = {str(key): value for key, value in row.items()} if isinstance(row, Mapping) else {}
    try:
        return {"value": properties.text(given.fill(template, fields))}
    except ExpressionError as error:
        return {"error": str(error)}
