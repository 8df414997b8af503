"""JSON as Jackson reads it for Kestra: the first value counts, what follows it is ignored."""

from __future__ import annotations

import json
from typing import NoReturn

_BLANKS = " \t\r\n"


def read_json(text: str) -> object:
    """The first value of the text; raises `ValueError` with a message about line and column."""
    text = text.lstrip(_BLANKS)
    try:
        value, end = _DECODER.raw_decode(text)
    except RecursionError:
        raise ValueError("Document nesting depth exceeds the maximum allowed") from None
    if not isinstance(value, str | list | dict) and text[end : end + 1] not in ("", *_BLANKS):
        raise ValueError(f"Unexpected character ('{text[end]}'): Expected space separating root-level values")
    return value


def begins_with_json(text: str) -> bool:
    """Whether there is such a value, or nothing at all."""
    if not text.strip(_BLANKS):
        return True
    try:
        read_json(text)
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"Non-standard token '{constant}'")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
