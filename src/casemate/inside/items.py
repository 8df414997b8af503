"""Rows with a template for each of them, a batch at a time: the worker fills it in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from casemate.inside.ion import Row

_ROWS = 1_000
_CHARACTERS = 1 << 20


def filled(ask: Callable[..., Any], name: str, rows: Iterable[Row]) -> Iterator[tuple[Row, str | None, str | None]]:
    """Every row with the text that the property's template gives for it, or with the error."""
    for batch in _batches(rows):
        answers = ask("rows.render", property=name, rows=[row.value for row in batch])
        for row, answer in zip(batch, answers, strict=True):
            yield row, answer.get("value"), answer.get("error")


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row.text)
        if len(batch) == _ROWS or characters > _CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
