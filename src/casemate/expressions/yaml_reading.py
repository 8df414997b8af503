"""YAML read by the function `yaml()`: Jackson's scalars (spec/engine 1.1.1), anchors not resolved, nesting bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from casemate.expressions.errors import Fault

_NESTING_LIMIT = 64
_WORDS = {
    **{form: True for word in ("true", "yes", "on") for form in (word, word.title(), word.upper())},
    **{form: False for word in ("false", "no", "off") for form in (word, word.title(), word.upper())},
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_INTEGER = re.compile(
    r"[-+]?(?:0b(?P<binary>[01_]+)|0x(?P<hex>[0-9a-fA-F_]+)|0(?P<octal>[0-7_]+)|(?P<decimal>0|[1-9][0-9_]*))"
)
_DECIMAL = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_NOT_DECIMAL = re.compile(r"[-+]?[0-9_]+")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MOST_DIGITS = 1000
_CORE = "tag:yaml.org,2002:"
_STRING = f"{_CORE}str"


def read_yaml(text: str) -> object:
    """The first document of the text as plain values; raises `Fault`."""
    try:
        return _Builder(yaml.parse(text, yaml.CSafeLoader)).document()
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise Fault(f"Invalid yaml: {error}") from error


class _Builder:
    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events

    def document(self) -> object:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                return self._value(next(self._events), 0)
        raise Fault("Invalid yaml: No content to map due to end-of-input")

    def _value(self, event: Any, depth: int) -> object:
        if depth > _NESTING_LIMIT:
            raise Fault(f"Invalid yaml: nested deeper than {_NESTING_LIMIT} levels")
        match event:
            case yaml.AliasEvent():
                return event.anchor
            case yaml.ScalarEvent():
                return _scalar(event)
            case yaml.SequenceStartEvent():
                return self._sequence(depth)
            case _:
                return self._mapping(depth)

    def _sequence(self, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, object]:
        entries: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = str(event.anchor) if isinstance(event, yaml.AliasEvent) else _key(event)
            entries[key] = self._value(next(self._events), depth + 1)
        return entries


def _key(event: Any) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise Fault("Invalid yaml: a key must be a text")
    return str(event.value)


def _scalar(event: Any) -> object:
    text = str(event.value)
    plain = event.implicit[0] or (event.tag or "").startswith(_CORE)
    return resolved(text) if plain and event.tag != _STRING else text


def resolved(text: str) -> object:
    """What a plain scalar means to Jackson; raises `Fault` for `.inf` and `.nan`."""
    if text in _WORDS:
        return _WORDS[text]
    if not text[0].isdigit() and text[0] not in "+-.":
        return text
    if _SPECIAL.fullmatch(text):
        raise Fault(f"Invalid yaml: Malformed numeric value '{text}'")
    if len(text) > _MOST_DIGITS:
        return text
    if found := _INTEGER.fullmatch(text):
        return _integer(found)
    if _DECIMAL.fullmatch(text) and not _NOT_DECIMAL.fullmatch(text):
        return float(text.replace("_", ""))
    return text


def _integer(found: re.Match[str]) -> int | str:
    kind = str(found.lastgroup)
    digits = found[kind].replace("_", "")
    if not digits:
        return found[0]
    number = int(digits, {"binary": 2, "octal": 8, "decimal": 10, "hex": 16}[kind])
    return -number if found[0].startswith("-") else number
