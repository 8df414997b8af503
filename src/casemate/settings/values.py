"""From what was written to what it means, kind by kind. A `ValueError` says what was expected."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from casemate import documents, durations
from casemate.documents import Node, Scalar, Sequence
from casemate.secret import Secret
from casemate.settings.keys import Key, Kind

_SHORT = re.compile(r"([0-9]+) ?(ms|s|m|h|d)", re.ASCII)
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_SIZE = re.compile(r"([0-9]+) ?([KMGT]?)i?B?", re.ASCII | re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def meaning(key: Key, node: Node) -> object:
    """The value of a key. Raises `ValueError` with the form that was expected; the value itself is not in it."""
    match key.kind:
        case Kind.TREE:
            return documents.plain(node)
        case Kind.MAP:
            return _map(node)
        case Kind.TEXTS | Kind.PATHS:
            return _texts(key, node)
        case _:
            value = _one(key, _text(key, node))
    if key.least is not None and isinstance(value, int | float) and value < key.least:
        raise ValueError(f"{key.kind.value} of at least {key.least}")
    return Secret(str(value)) if key.secret else value


def _text(key: Key, node: Node) -> str:
    if not isinstance(node, Scalar):
        raise ValueError(key.kind.value)
    return node.text.strip() if key.kind is not Kind.TEXT else node.text


def _one(key: Key, text: str) -> object:
    match key.kind:
        case Kind.FLAG:
            return _flag(text)
        case Kind.NUMBER:
            return _number(text)
        case Kind.DECIMAL:
            return _decimal(text)
        case Kind.DURATION:
            return duration(text)
        case Kind.SIZE:
            return size(text)
        case Kind.CHOICE:
            return _choice(text, key.choices)
        case _:
            return text


def _flag(text: str) -> bool:
    if (value := _FLAGS.get(text.lower())) is None:
        raise ValueError(Kind.FLAG.value)
    return value


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        raise ValueError(Kind.NUMBER.value)
    return int(text)


def _decimal(text: str) -> float:
    try:
        number = float(Decimal(text))
    except (InvalidOperation, OverflowError) as error:
        raise ValueError(Kind.DECIMAL.value) from error
    if not math.isfinite(number):
        raise ValueError(Kind.DECIMAL.value)
    return number


def duration(text: str) -> timedelta:
    """`250ms`, `5s`, `10m`, `1h`, `7d` or ISO-8601; a bare number has no unit and is refused."""
    try:
        if short := _SHORT.fullmatch(text):
            return int(short[1]) * _UNITS[short[2]]
        if text[:1] in "-+pP":
            return durations.parse(text)
    except (OverflowError, ValueError) as error:
        raise ValueError(Kind.DURATION.value) from error
    raise ValueError(Kind.DURATION.value)


def size(text: str) -> int:
    """`512`, `10MB`, `2 GiB` in bytes; every step is 1024, as in Kestra."""
    if not (found := _SIZE.fullmatch(text)):
        raise ValueError(Kind.SIZE.value)
    bytes_ = int(found[1][:20]) << 10 * _POWERS[found[2].upper()]
    if bytes_ >= 1 << 63:  # the kernel counts no further
        raise ValueError(Kind.SIZE.value)
    return bytes_


def _choice(text: str, choices: tuple[str, ...]) -> str:
    plain = text.lower().replace("-", "_")
    for choice in choices:
        if choice.lower().replace("-", "_") == plain:
            return choice
    raise ValueError("one of " + ", ".join(choices))


def _texts(key: Key, node: Node) -> tuple[str, ...]:
    match node:
        case Scalar(text=text):
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case Sequence(items=items) if all(isinstance(item, Scalar) and item.value is not None for item in items):
            return tuple(item.text for item in items if isinstance(item, Scalar))
        case _:
            raise ValueError(key.kind.value)


def _map(node: Node) -> Mapping[str, documents.Plain]:
    if not isinstance(node, documents.Mapping):
        raise ValueError(Kind.MAP.value)
    return {entry.key: documents.plain(entry.value) for entry in node.entries}
