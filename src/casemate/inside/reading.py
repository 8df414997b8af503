"""Rendered properties as the values that they mean: a flag, a number or a list may arrive as text."""

from __future__ import annotations

import json
from collections.abc import Mapping


def flag(value: object, *, default: bool) -> bool:
    """A yes or no."""
    if value is None or value == "":
        return default
    return value is True or str(value).strip().lower() == "true"


def maybe(value: object) -> str | None:
    """A text, None for nothing."""
    return None if value is None or value == "" else str(value)


def number(value: object) -> int | None:
    """A whole number. ValueError: something else."""
    return None if value is None or value == "" else int(str(value).strip())


def texts(value: object) -> list[str]:
    """A list of texts, the JSON text of one, or a single text."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = json.loads(value)
    if value is None or value == "":
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def mapping(value: object) -> dict[str, object]:
    """A map, or the JSON text of one. ValueError: something else."""
    if isinstance(value, str) and value.strip():
        value = json.loads(value)
    if value is None or value == "":
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"Invalid value: a map was expected, not {json.dumps(value)[:200]}")
    return {str(key): each for key, each in value.items()}
