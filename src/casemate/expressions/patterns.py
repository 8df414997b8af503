"""Regular expressions that tenants write: RE2 decides in linear time, so no pattern can hold the server up.

Java's syntax is mostly RE2's. What needs backtracking is refused: look-around, back-references, possessive quantifiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from casemate import patterns
from casemate.expressions.budget import Meter
from casemate.expressions.errors import ExpressionError, Fault

_PLAIN = re.compile(r"[^\\.\[\]{}()*+?^$|]+|\\[^a-zA-Z0-9]")
_REFERENCE = re.compile(
    r"\\(?P<escaped>.)|\$(?P<number>\d)|\$\{(?P<name>[a-zA-Z][a-zA-Z0-9]*)\}|(?P<bad>[\\$])", re.DOTALL
)
_NAMED_GROUP = re.compile(r"\(\?<(?=[a-zA-Z])")
_SCANNED = 12  # a match looks ahead; each is charged the rest of the text, divided by two to the power of this


def compiled(pattern: str, text: str) -> Any:
    """The pattern, ready to use on that text; raises `Fault` for one that is refused."""
    try:
        return patterns.within_effort(patterns.compiled(_NAMED_GROUP.sub("(?P<", pattern)), text)
    except patterns.PatternRefused as refused:
        raise Fault(f"The regular expression '{pattern[:200]}' is refused: {refused}") from refused


def matches(pattern: str, text: str) -> bool:
    """Java's `String.matches`: does the pattern describe the whole text? Raises ExpressionError if RE2 refuses it."""
    try:
        return compiled(pattern, text).fullmatch(text) is not None
    except Fault as fault:
        raise ExpressionError(fault.message) from fault


def split(text: str, delimiter: str, limit: int, meter: Meter) -> list[str]:
    """Java's `String.split`: by a regular expression, trailing empty parts dropped unless there is a limit."""
    parts = text.split(_literal(delimiter), limit - 1 if limit > 0 else -1) if _is_literal(delimiter) else []
    parts = parts or _split_by_pattern(text, delimiter, limit, meter)
    if limit == 0 and len(parts) > 1:
        while parts and not parts[-1]:
            parts.pop()
    return parts


def _is_literal(delimiter: str) -> bool:
    return delimiter != "" and _PLAIN.fullmatch(delimiter) is not None


def _literal(delimiter: str) -> str:
    return delimiter.removeprefix("\\") if len(delimiter) > 1 else delimiter


def _split_by_pattern(text: str, pattern: str, limit: int, meter: Meter) -> list[str]:
    parts: list[str] = []
    start = 0
    for found in _found(pattern, text, meter):
        if limit > 0 and len(parts) == limit - 1:
            break
        if found.end() == 0 or (found.start() == found.end() == len(text)):
            continue  # an empty match at either end divides nothing
        parts.append(text[start : found.start()])
        start = found.end()
    return [*parts, text[start:]]


def replace_all(text: str, pattern: str, replacement: str, meter: Meter) -> str:
    """Java's `String.replaceAll`: `$1` and `${name}` in the replacement stand for groups, a backslash escapes."""
    template = _template(replacement)
    pieces: list[str] = []
    start = 0
    meter.charge(len(text))
    for found in _found(pattern, text, meter):
        piece = "".join(part if isinstance(part, str) else _group(found, part[0]) for part in template)
        meter.charge(len(piece))
        pieces += (text[start : found.start()], piece)
        start = found.end()
    return "".join(pieces) + text[start:]


def _found(pattern: str, text: str, meter: Meter) -> Iterator[Any]:
    """Every match. One that looked ahead to the end of the text before it settled for less has cost that much."""
    for found in compiled(pattern, text).finditer(text):
        meter.step()
        meter.charge(len(text) - found.start() >> _SCANNED)
        yield found


def _group(found: Any, group: int | str) -> str:
    try:
        return found[group] or ""
    except IndexError:
        raise Fault(f"No group {group}") from None


def _template(replacement: str) -> list[str | tuple[int | str]]:
    """Texts, and references to groups as one-tuples."""
    parts: list[str | tuple[int | str]] = []
    start = 0
    for found in _REFERENCE.finditer(replacement):
        parts.append(replacement[start : found.start()])
        parts.append(_reference(found))
        start = found.end()
    return [*parts, replacement[start:]]


def _reference(found: re.Match[str]) -> str | tuple[int | str]:
    if found["bad"]:
        wrong = "character to be escaped is missing" if found["bad"] == "\\" else "Illegal group reference"
        raise Fault(wrong)
    if found["escaped"] is not None:
        return found["escaped"]
    return (int(found["number"]),) if found["number"] else (found["name"],)
