"""What a YAML scalar means: the table of Kestra's YAML reader, neither YAML 1.1 nor 1.2 (spec/engine 1.1.1)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

Value: TypeAlias = bool | int | float | str | None

MAX_DIGITS: Final = 1000
"""Longer numbers are refused, as Jackson does: turning them into binary takes quadratic time."""

_WORDS: Final[dict[str, bool | None]] = {
    **{written: True for word in ("true", "yes", "on") for written in (word, word.title(), word.upper())},
    **{written: False for word in ("false", "no", "off") for written in (word, word.title(), word.upper())},
    **dict.fromkeys(("~", "null", "Null", "NULL")),
}
_INTEGER: Final = re.compile(r"[-+]?(?:0b_*[01][01_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0_*[0-7][0-7_]*|0|[1-9][0-9_]*)")
_DECIMAL: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?"
    r"|[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)"
)
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TAGS: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Malformed:
    """A scalar that looks like a number and is none."""

    message: str


def meaning(text: str) -> Value | Malformed:
    """What a plain scalar means. Dates and base-60 numbers stay text, and so does an empty scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if not text or text[0] not in "0123456789+-.":
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _DECIMAL.fullmatch(text):
        return _decimal(text)
    return Malformed(f"Malformed numeric value '{text}'") if _NOT_FINITE.fullmatch(text) else text


def tagged(text: str, tag: str) -> Value | Malformed:
    """What a scalar means under an explicit tag; tags that YAML does not define are dropped."""
    match tag.removeprefix(_TAGS):
        case "int" | "float" if _INTEGER.fullmatch(text) or _DECIMAL.fullmatch(text):
            return meaning(text)
        case "int" | "float":
            return Malformed(f"Malformed numeric value '{text}'")
        case "bool" if isinstance(_WORDS.get(text), bool):
            return _WORDS[text]
        case "null":
            return None
        case _:
            return text


def _integer(text: str) -> int | Malformed:
    if len(text) > MAX_DIGITS:
        return Malformed(f"Number value length ({len(text)}) exceeds the maximum allowed ({MAX_DIGITS})")
    digits = text.replace("_", "")
    sign, digits = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
    match digits[:2]:
        case "0b":
            return sign * int(digits[2:], 2)
        case "0x":
            return sign * int(digits[2:], 16)
        case _:
            return sign * int(digits, 8 if digits[0] == "0" else 10)


def _decimal(text: str) -> float | Malformed:
    number = float(text.replace("_", ""))
    # JSON has no infinity: a number too large for a double would poison every answer that carries it.
    return number if math.isfinite(number) else Malformed(f"Malformed numeric value '{text}'")
