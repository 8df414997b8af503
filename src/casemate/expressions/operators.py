"""What the operators do with their operands (spec/engine 6.4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set
from decimal import ROUND_HALF_EVEN, Context, Decimal

from casemate.expressions.budget import Meter, check_depth
from casemate.expressions.errors import Fault
from casemate.expressions.printing import java_text
from casemate.expressions.values import Float32, Long, class_name, is_number, items, narrowed, truth, wrapped

Number = int | float | Decimal
_DECIMAL128 = Context(prec=34, rounding=ROUND_HALF_EVEN, traps=[])

FAILURES = {
    "==": "Could not perform equals comparison",
    "!=": "Could not perform not equals comparison",
    ">": "Could not perform greater than comparison",
    ">=": "Could not perform greater than or equals comparison",
    "<": "Could not perform less than comparison",
    "<=": "Could not perform less than or equals comparison",
    "+": "Could not perform addition",
    "-": "Could not perform subtraction",
    "*": "Could not perform multiplication",
    "/": "Could not perform division",
    "%": "Could not perform greater modulus",
}
"""Kestra's text for whatever goes wrong in an operand or in the operator itself."""

_ORDERINGS: dict[str, Callable[[float, float], bool]] = {
    ">": float.__gt__,
    ">=": float.__ge__,
    "<": float.__lt__,
    "<=": float.__le__,
}
_NAMES = {"+": "ADD", "-": "SUBTRACT", "*": "MULTIPLICATION", "/": "DIVISION", "%": "MODULUS"}


def operate(symbol: str, left: object, right: object, meter: Meter) -> object:
    """Arithmetic or a comparison; raises `Fault` for operands it is not made for."""
    match symbol:
        case "==":
            return equal(left, right, meter)
        case "!=":
            return not equal(left, right, meter)
        case "+" if isinstance(left, str) or isinstance(right, str):
            return joined(java_text(left, meter), java_text(right, meter), meter)
        case "+" | "-" if isinstance(left, list):
            return _changed(symbol, left, right, meter)
        case "+" | "-" | "*" | "/" | "%":
            return calculate(symbol, left, right)
        case _:
            return ordered(symbol, left, right)


def joined(left: str, right: str, meter: Meter) -> str:
    """Two texts in one, paid for before it is made."""
    meter.charge(len(left) + len(right))
    return left + right


def concatenate(left: object, right: object, meter: Meter) -> str:
    """`~`: null is nothing."""
    return joined(_or_nothing(left, meter), _or_nothing(right, meter), meter)


def _or_nothing(value: object, meter: Meter) -> str:
    return "" if value is None else java_text(value, meter)


def _changed(symbol: str, left: list[object], right: object, meter: Meter) -> list[object]:
    """A list with elements added or taken away; the list itself stays as it is."""
    several = items(right)
    meter.charge(len(left) + (len(several) if several is not None else 1))
    if symbol == "+":
        return [*left, *(several if several is not None else (right,))]
    if several is not None:
        return [item for item in left if not holds(several, item, meter)]
    return _without_first(left, right, meter)


def _without_first(left: list[object], gone: object, meter: Meter) -> list[object]:
    for index, item in enumerate(left):
        if equal(item, gone, meter):
            return left[:index] + left[index + 1 :]
    return left


# ---- comparing


def equal(left: object, right: object, meter: Meter, depth: int = 0) -> bool:
    """Numbers by their value, everything else by type and content; never an error."""
    meter.step()
    if is_number(left) and is_number(right):
        return _double(left) == _double(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return _equal_maps(left, right, meter, depth)
    ours, theirs = items(left), items(right)
    if ours is None or theirs is None:
        return left == right
    check_depth(depth)
    return len(ours) == len(theirs) and all(equal(a, b, meter, depth + 1) for a, b in zip(ours, theirs, strict=True))


def _equal_maps(left: Mapping[object, object], right: Mapping[object, object], meter: Meter, depth: int) -> bool:
    check_depth(depth)
    if len(left) != len(right) or any(key not in right for key in left):
        return False
    return all(equal(value, right[key], meter, depth + 1) for key, value in left.items())


def ordered(symbol: str, left: object, right: object) -> bool:
    """`<` and its like, for numbers only; null is in no order with anything."""
    if left is None or right is None:
        return False
    if not is_number(left) or not is_number(right):
        raise Fault("invalid operands for mathematical comparison")
    return _ORDERINGS[symbol](_double(left), _double(right))


def contains(left: object, right: object, meter: Meter) -> bool:
    """Whether a list holds an element (or all of a list), a map a key, a text a text."""
    if left is None:
        return False
    if isinstance(left, str):
        return java_text(right, meter) in left
    if isinstance(left, Mapping):
        return _hashable(right) and right in left
    ours = items(left)
    if ours is None:
        what = "Contains operator can only be used on Collections, Maps and arrays."
        raise Fault(f"{what} Actual type was: {class_name(left)}")
    several = items(right)
    return all(holds(ours, item, meter) for item in ((right,) if several is None else several))


def holds(several: list[object] | tuple[object, ...], wanted: object, meter: Meter) -> bool:
    """Whether one of the elements is equal."""
    return any(equal(item, wanted, meter) for item in several)


def _hashable(value: object) -> bool:
    return not isinstance(value, Mapping | list | Set)


# ---- arithmetic


def calculate(symbol: str, left: object, right: object) -> Number:
    """Arithmetic that widens as Java does: integer, 32-bit float, double, decimal."""
    if not is_number(left) or not is_number(right):
        raise Fault(f"invalid operands for mathematical operation [{_NAMES[symbol]}]")
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _decimals(symbol, Decimal(repr(_double(left))), Decimal(repr(_double(right))))
    if isinstance(left, int) and isinstance(right, int):
        return _integers(symbol, left, right)
    result = _doubles(symbol, _double(left), _double(right))
    return narrowed(result) if _is_narrow(left) and _is_narrow(right) else result


def _is_narrow(value: object) -> bool:
    return isinstance(value, int | Float32)


def _double(value: Number) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _integers(symbol: str, left: int, right: int) -> Long:
    match symbol:
        case "+":
            return wrapped(int(left) + int(right))
        case "-":
            return wrapped(int(left) - int(right))
        case "*":
            return wrapped(int(left) * int(right))
    if right == 0:
        raise Fault("/ by zero")
    quotient = abs(int(left)) // abs(int(right))
    whole = quotient if (left < 0) == (right < 0) else -quotient
    return wrapped(whole if symbol == "/" else int(left) - whole * int(right))


def _doubles(symbol: str, left: float, right: float) -> float:
    match symbol:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right if right else _divided_by_zero(left, right)
        case _:
            return math.fmod(left, right) if right and math.isfinite(left) else math.nan


def _divided_by_zero(left: float, zero: float) -> float:
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, zero)


def _decimals(symbol: str, left: Decimal, right: Decimal) -> Decimal:
    match symbol:
        case "+":
            return _DECIMAL128.add(left, right)
        case "-":
            return _DECIMAL128.subtract(left, right)
        case "*":
            return _DECIMAL128.multiply(left, right)
    if right == 0:
        raise Fault("/ by zero")
    return _DECIMAL128.divide(left, right) if symbol == "/" else _DECIMAL128.remainder(left, right)


def negated(symbol: str, operand: object) -> object:
    """The unary operators: `not`, `+`, `-`."""
    if symbol != "not":
        return calculate("*", Long(1 if symbol == "+" else -1), operand)
    if operand is None:
        raise Fault("null value given to not() and strict variables is set to true")
    if not isinstance(operand, bool | str) and not is_number(operand):
        short = class_name(operand).rpartition(".")[2]
        raise Fault(f'Unsupported value type {short}. Expected Boolean, String, Number in "if" statement')
    return not truth(operand)
