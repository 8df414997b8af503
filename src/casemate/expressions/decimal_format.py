"""Numbers by Java's DecimalFormat patterns: `#,##0.00`, `0%`, `0.###E0`, `0;(0)` (`numberFormat`, US symbols)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from casemate.expressions.errors import Fault

_MULTIPLIERS = {"%": 100, "‰": 1000}
_MOST_FRACTION = 340  # digits; what Java allows for doubles
_MOST_DIGITS = 1000
_EXACT = Context(prec=2000, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecimalPattern:
    """A pattern taken apart; `exponent` is the least number of exponent digits, 0 for plain notation."""

    prefix: str = ""
    suffix: str = ""
    negative_prefix: str = "-"
    negative_suffix: str = ""
    grouping: int = 0
    least_integer: int = 1
    most_integer: int = 0
    least_fraction: int = 0
    most_fraction: int = 0
    exponent: int = 0
    multiplier: int = 1
    point: bool = False  #: the decimal point stands even without a fraction


DEFAULT_PATTERN = "#,##0.###"


def format_number(number: float | Decimal, pattern: str) -> str:
    """The number written by the pattern, rounded half to even; raises `Fault` for a pattern that is none."""
    if isinstance(number, Decimal) and abs(number.adjusted()) > _MOST_DIGITS:
        raise Fault(f"A number of more than {_MOST_DIGITS} digits can not be formatted")
    if isinstance(number, float) and not math.isfinite(number):
        return "NaN" if math.isnan(number) else "∞" if number > 0 else "-∞"
    parts = read_pattern(pattern)
    negative = number < 0 or (number == 0 and math.copysign(1, number) < 0)
    scaled = number * parts.multiplier  # in the number's own type, as Java does
    digits = _scientific(scaled, parts) if parts.exponent else _plain(scaled, parts)
    if negative:
        return parts.negative_prefix + digits + parts.negative_suffix
    return parts.prefix + digits + parts.suffix


def _shortest(number: float | Decimal) -> Decimal:
    """The number with the digits that it prints with."""
    return abs(Decimal(repr(number)) if isinstance(number, float) else Decimal(number))


def _plain(number: float | Decimal, parts: DecimalPattern) -> str:
    rounded = _shortest(number)
    if -int(rounded.as_tuple().exponent) > parts.most_fraction:  # ties are decided by the exact binary value
        rounded = abs(Decimal(number)).quantize(Decimal(1).scaleb(-parts.most_fraction), context=_EXACT)
    whole, _, fraction = f"{rounded:f}".partition(".")
    return _assembled(whole.lstrip("0"), fraction, parts.least_integer, parts)


def _assembled(whole: str, fraction: str, least_integer: int, parts: DecimalPattern) -> str:
    whole = whole.rjust(least_integer, "0")
    fraction = fraction.rstrip("0").ljust(parts.least_fraction, "0")
    if not whole and not fraction:
        whole = "0"
    point = "." if fraction or parts.point else ""
    return _grouped(whole, parts.grouping) + point + fraction


def _grouped(whole: str, size: int) -> str:
    if not size or len(whole) <= size:
        return whole
    head = len(whole) % size
    groups = [whole[at : at + size] for at in range(head, len(whole), size)]
    return ",".join([whole[:head], *groups] if head else groups)


def _scientific(number: float | Decimal, parts: DecimalPattern) -> str:
    digits = max(1, parts.most_integer + parts.most_fraction)
    rounded = _shortest(number)
    if len(rounded.as_tuple().digits) > digits:
        rounded = Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(abs(Decimal(number)))
    magnitude = rounded.adjusted() + 1 if rounded else 0  # digits before the point
    exponent, least = _exponent(magnitude, parts) if rounded else (0, parts.least_integer)
    mantissa = f"{rounded.scaleb(-exponent, _EXACT):f}"
    whole, _, fraction = mantissa.partition(".")
    text = _assembled(whole.lstrip("0"), fraction, least, replace(parts, grouping=0))
    return f"{text}E{'-' if exponent < 0 else ''}{abs(exponent):0{parts.exponent}}"


def _exponent(magnitude: int, parts: DecimalPattern) -> tuple[int, int]:
    """The exponent, and how many integer digits stand at least: engineering notation moves in steps."""
    step = parts.most_integer
    if step > 1 and step > parts.least_integer:
        return (magnitude - 1) // step * step, 1
    return magnitude - (parts.least_integer if parts.least_integer or parts.least_fraction else 0), parts.least_integer


# ---- patterns


@lru_cache(maxsize=256)
def read_pattern(pattern: str) -> DecimalPattern:
    """Take a pattern apart; raises `Fault` with Java's text."""
    if not pattern:
        return DecimalPattern(grouping=3, least_integer=0, most_fraction=_MOST_FRACTION)
    reader = _Reader(pattern)
    prefix = reader.affix()
    parts = reader.number()
    suffix = reader.affix()
    negative = (f"-{prefix}", suffix)
    if reader.take(";"):
        negative = (reader.affix(), "")
        reader.number()
        negative = (negative[0], reader.affix())
        if negative == (prefix, suffix):
            negative = (f"-{prefix}", suffix)
    return replace(
        parts,
        prefix=prefix,
        suffix=suffix,
        negative_prefix=negative[0],
        negative_suffix=negative[1],
        multiplier=reader.multiplier,
    )


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self.multiplier = 1

    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def take(self, mark: str) -> bool:
        found = self._pattern.startswith(mark, self._at)
        self._at += len(mark) * found
        return found

    def affix(self) -> str:
        """Text before or after the number, with quotes undone."""
        text = ""
        while (mark := self._next()) and mark not in "#0,.;":
            self._at += 1
            if mark == "'":
                text += self._quoted()
                continue
            self.multiplier = _MULTIPLIERS.get(mark, self.multiplier)
            text += "$" if mark == "¤" else mark
        return text

    def _quoted(self) -> str:
        end = self._pattern.find("'", self._at)
        if end < 0:
            end = len(self._pattern)
        text = self._pattern[self._at : end] or "'"
        self._at = end + 1
        return text

    def number(self) -> DecimalPattern:
        start = self._at
        while (mark := self._next()) and mark in "#0,.":
            self._at += 1
        core = self._pattern[start : self._at]
        if core.count(".") > 1:
            raise Fault(f'Multiple decimal separators in pattern "{self._pattern}"')
        integer, point, fraction = core.partition(".")
        if "," in fraction or "0#" in integer.replace(",", "") or "#0" in fraction:
            raise Fault(f'Malformed pattern "{self._pattern}"')
        return self._counted(integer, point, fraction, self._exponent())

    def _exponent(self) -> int:
        if not self._pattern.startswith("E0", self._at):
            return 0
        start = self._at + 1
        self._at = start
        while self._next() == "0":
            self._at += 1
        return self._at - start

    def _counted(self, integer: str, point: str, fraction: str, exponent: int) -> DecimalPattern:
        digits = integer.replace(",", "")
        least = digits.count("0")
        if not least and "0" not in fraction and (digits or not fraction):
            least = 1  # `#.##` shows a zero before the point
        return DecimalPattern(
            grouping=len(integer) - integer.rindex(",") - 1 if "," in integer else 0,
            least_integer=least,
            most_integer=max(len(digits), least),
            least_fraction=fraction.count("0"),
            most_fraction=len(fraction),
            exponent=exponent,
            point=bool(point) and not fraction,
        )
