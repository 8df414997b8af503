"""Constraints on one value, in the words of Java's bean validation (spec/engine 13.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from casemate.catalog import Schema
from casemate.patterns import PatternRefused, compiled, within_effort


def when_absent(schema: Schema, *, required: bool) -> Iterator[str]:
    """What is wrong with a property that is not given, or null."""
    if required:
        yield "must not be null"
    if schema.must_not_be:
        yield f"must not be {schema.must_not_be}"
    if schema.not_empty:
        yield "must not be empty"


def when_given(value: Any, schema: Schema) -> Iterator[str]:
    """What is wrong with a value."""
    if isinstance(value, str):
        yield from _text(value, schema)
    elif isinstance(value, list):
        if schema.not_empty and not value:
            yield "must not be empty"
    elif isinstance(value, int | float):
        yield from _number(value, schema)


def _text(value: str, schema: Schema) -> Iterator[str]:
    if schema.must_not_be and not (value.strip() if schema.must_not_be == "blank" else value):
        yield f"must not be {schema.must_not_be}"
    if schema.pattern is not None and not _fits(schema.pattern, value):
        yield f'must match "{schema.pattern}"'
    if schema.longest is not None and not (schema.shortest or 0) <= len(value) <= schema.longest:
        yield f"size must be between {schema.shortest or 0} and {schema.longest}"


def _number(value: float, schema: Schema) -> Iterator[str]:
    if schema.least is not None and value < schema.least:
        yield f"must be greater than or equal to {schema.least:g}"
    if schema.above is not None and value <= schema.above:
        yield f"must be greater than {schema.above:g}"


def _fits(pattern: str, text: str) -> bool:
    """A text that would keep the pattern of a plugin busy for minutes does not."""
    try:
        return within_effort(compiled(pattern), text).fullmatch(text) is not None
    except PatternRefused:
        return False
