"""YAML written by the filter `yaml`, as Jackson with few quotes and indented lists writes it (spec/engine 6.8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from datetime import UTC, datetime, timedelta, tzinfo

from casemate.expressions.budget import Meter, check_depth
from casemate.expressions.javatime.texts import json_moment
from casemate.expressions.printing import java_text
from casemate.expressions.values import Entry

_RESERVED = frozenset(
    form
    for word in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
    for form in (word, word.title(), word.upper())
) | {"~"}
_QUOTED_VALUE = re.compile(r"[\[\]{},]|:(?:\s|$)|(?:^|\s)#")
_SPECIAL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x84\x86-\x9f]")
_NOT_PLAIN = re.compile(r"""^[-?:](?:\s|$)|^[,\[\]{}#&*!|>'"%@`\s]|\s$|:(?:\s|$)|\s#|^---|^\.\.\.""")
_SPACE_BREAK = re.compile(r" \n| $")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\0": "\\0", "\x1b": "\\e"}


def yaml_text(value: object, meter: Meter) -> str:
    """A value as a YAML document in block style, ending with a line break."""
    writer = _Writer(meter)
    if value == "":
        return '--- ""\n'
    if _is_block(value):
        return "".join(writer.block(value, 0, 0))
    return writer.scalar(value, 0) + "\n"


def _is_block(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple | Set | Entry) and not (
        isinstance(value, Mapping | list) and not value
    )


class _Writer:
    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def block(self, value: object, indent: int, depth: int) -> list[str]:
        """The lines of a list or map."""
        check_depth(depth)
        if isinstance(value, Entry):
            value = {value.key: value.value}
        lines: list[str] = []
        if isinstance(value, Mapping):
            for key, item in value.items():
                name = _name(key if isinstance(key, str) else java_text(key, self._meter))
                inner = indent if isinstance(item, list | tuple | Set) else indent + 2
                lines += self._item(f"{' ' * indent}{name}:", item, inner, depth)
        elif isinstance(value, list | tuple | Set):
            for item in value:
                lines += self._item(f"{' ' * indent} -", item, indent + 2, depth)
        return lines

    def _item(self, head: str, value: object, indent: int, depth: int) -> list[str]:
        self._meter.step()
        self._meter.charge(len(head))
        if _is_block(value):
            return [head + "\n", *self.block(value, indent, depth + 1)]
        return [f"{head} {self.scalar(value, max(indent - 2, 0))}\n"]

    def scalar(self, value: object, indent: int) -> str:
        """A value on one line, or as a literal block below `indent`."""
        if isinstance(value, Mapping | list | tuple | Set):
            return "{}" if isinstance(value, Mapping) else "[]"
        if isinstance(value, str):
            self._meter.charge(len(value))
            return _text(value, indent)
        if isinstance(value, datetime):
            return json_moment(value, _own_zone(value))
        return json_moment(value, UTC) if isinstance(value, timedelta) else java_text(value, self._meter)


def _own_zone(value: datetime) -> tzinfo:
    return value.tzinfo or UTC


def _text(text: str, indent: int) -> str:
    if text == "" or text in _RESERVED or (_QUOTED_VALUE.search(text) and "\n" not in text):
        return _double_quoted(text)
    if _SPECIAL.search(text):
        return _double_quoted(text)
    if "\n" in text:
        return _double_quoted(text) if _SPACE_BREAK.search(text) else _literal(text, indent)
    return "'" + text.replace("'", "''") + "'" if _NOT_PLAIN.search(text) else text


def _name(text: str) -> str:
    if text == "" or text in _RESERVED or text[0] in "0123456789-+." or _SPECIAL.search(text) or "\n" in text:
        return _double_quoted(text)
    return "'" + text.replace("'", "''") + "'" if _NOT_PLAIN.search(text) else text


def _double_quoted(text: str) -> str:
    escaped = "".join(_ESCAPES.get(letter) or _escaped(letter) for letter in text)
    return f'"{escaped}"'


def _escaped(letter: str) -> str:
    return f"\\x{ord(letter):02x}" if _SPECIAL.match(letter) else letter


def _literal(text: str, indent: int) -> str:
    """`|` with the indentation told when the text begins with a blank, and how its end is kept."""
    hint = "2" if text[0] in " \n" else ""
    keep = "-" if not text.endswith("\n") else "+" if text.endswith("\n\n") or text == "\n" else ""
    pad = " " * (indent + 2)
    lines = text.removesuffix("\n").split("\n")
    return f"|{hint}{keep}\n" + "\n".join(pad + line if line else "" for line in lines)
