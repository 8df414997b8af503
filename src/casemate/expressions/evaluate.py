"""What an expression means: a walk over its tree. Every step is paid for, no value is asked for a Python attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from casemate.expressions.attributes import attribute
from casemate.expressions.derived import derived
from casemate.expressions.errors import BudgetExceeded, ExpressionError, Fault, NeedsWorld, Unanswered, Undefined
from casemate.expressions.filters import FILTERS
from casemate.expressions.functions import FUNCTIONS
from casemate.expressions.members import call_member, member
from casemate.expressions.nodes import (
    Arguments,
    Attribute,
    Binary,
    Call,
    Conditional,
    Expression,
    Filtered,
    ListLiteral,
    Literal,
    Macro,
    MapLiteral,
    Name,
    Tested,
    Unary,
)
from casemate.expressions.operators import FAILURES, concatenate, contains, negated, operate
from casemate.expressions.predicates import PREDICATES
from casemate.expressions.printing import java_text
from casemate.expressions.run import Captured, Run
from casemate.expressions.scope import Scopes
from casemate.expressions.values import Written, truth

Evaluator: TypeAlias = Callable[[Any, Run], object]
Result = TypeVar("Result")

_UNFIT = (TypeError, ValueError, ArithmeticError, LookupError)
"""What Python raises when a filter or function is given a value it is not made for."""


def evaluate(node: Expression, run: Run) -> object:
    """The value of an expression; raises `Fault`, `NeedsWorld` or `BudgetExceeded`."""
    return _EVALUATORS[type(node)](node, run)


def _literal(node: Literal, _run: Run) -> object:
    return node.value


def _name(node: Name, run: Run) -> object:
    try:
        return run.scopes.find(node.name)
    except KeyError:
        raise Undefined(node.name, node.line) from None


def _attribute(node: Attribute, run: Run) -> object:
    meter = run.session.meter
    meter.step()
    target = _EVALUATORS[type(node.target)](node.target, run)
    key = _EVALUATORS[type(node.key)](node.key, run)
    if target is None:
        raise Undefined(node.target.name if isinstance(node.target, Name) else java_text(key, meter), node.line)
    if node.arguments is not None:
        given = [evaluate(argument, run) for argument in node.arguments]
        called = _guarded(node.line, lambda: call_member(target, java_text(key, meter), given, meter))
        return derived(called, target, run)
    try:
        return attribute(target, key, meter)
    except Undefined:
        return derived(_guarded(node.line, lambda: member(target, java_text(key, meter), meter)), target, run)
    except Fault as fault:
        raise Fault(fault.message, node.line) from fault


def _list(node: ListLiteral, run: Run) -> object:
    return [_EVALUATORS[type(item)](item, run) for item in node.items]


def _map(node: MapLiteral, run: Run) -> object:
    return _guarded(
        node.line,
        lambda: Written((evaluate(key, run), evaluate(value, run)) for key, value in node.entries),
    )


def _conditional(node: Conditional, run: Run) -> object:
    run.session.meter.step()
    condition = evaluate(node.condition, run)
    chosen = node.yes if condition is not None and _truth(condition, node.line) else node.no
    return evaluate(chosen, run)


def _truth(value: object, line: int) -> bool:
    return _guarded(line, lambda: truth(value))


# ---- operators


def _unary(node: Unary, run: Run) -> object:
    run.session.meter.step()
    operand = evaluate(node.operand, run)
    return _guarded(node.line, lambda: negated(node.symbol, operand))


def _binary(node: Binary, run: Run) -> object:
    run.session.meter.step()
    special = _SPECIAL.get(node.symbol)
    return special(node, run) if special is not None else _operation(node, run)


def _operation(node: Binary, run: Run) -> object:
    """Arithmetic and comparisons: whatever fails in them, an unknown variable too, is reported as their failure."""
    try:
        left = _EVALUATORS[type(node.left)](node.left, run)
        right = _EVALUATORS[type(node.right)](node.right, run)
        result = operate(node.symbol, left, right, run.session.meter)
        return derived(result, (left, right), run) if node.symbol == "+" else result
    except Unanswered:
        raise
    except (Fault, *_UNFIT) as error:
        raise Fault(FAILURES[node.symbol], node.line) from error


def _and(node: Binary, run: Run) -> bool:
    return _side(node, node.left, run) and _side(node, node.right, run)


def _or(node: Binary, run: Run) -> bool:
    return _side(node, node.left, run) or _side(node, node.right, run)


def _side(node: Binary, operand: Expression, run: Run) -> bool:
    value = evaluate(operand, run)
    if value is None:
        raise Fault(f"null value used in {node.symbol} operator and strict variables is set to true", node.line)
    return _truth(value, node.line)


def _contains(node: Binary, run: Run) -> bool:
    left = evaluate(node.left, run)
    if left is None:
        return False
    right = evaluate(node.right, run)
    return _guarded(node.line, lambda: contains(left, right, run.session.meter))


def _concatenate(node: Binary, run: Run) -> str:
    left, right = evaluate(node.left, run), evaluate(node.right, run)
    return derived(concatenate(left, right, run.session.meter), (left, right), run)


def _range(node: Binary, run: Run) -> object:
    given = {"start": evaluate(node.left, run), "end": evaluate(node.right, run)}
    return _guarded(node.line, lambda: FUNCTIONS["range"].apply(given, run))


def _unless_null(node: Binary, run: Run) -> object:
    try:
        value = evaluate(node.left, run)
    except Undefined:
        value = None
    return evaluate(node.right, run) if value is None else value


def _unless_undefined(node: Binary, run: Run) -> object:
    try:
        return evaluate(node.left, run)
    except Undefined:
        return evaluate(node.right, run)


_SPECIAL: Mapping[str, Evaluator] = {
    "and": _and,
    "or": _or,
    "contains": _contains,
    "~": _concatenate,
    "..": _range,
    "??": _unless_null,
    "???": _unless_undefined,
}


# ---- filters, tests, functions


def _filtered(node: Filtered, run: Run) -> object:
    filter_ = FILTERS.get(node.name)
    if filter_ is None:
        raise Fault(f"Filter [{node.name}] does not exist.", node.line)
    given = arguments(node.arguments, filter_.parameters, node.line, run)
    try:
        value = _EVALUATORS[type(node.target)](node.target, run)
    except Undefined:
        if not filter_.forgiving:
            raise
        value = None
    return apply_filter(node.name, value, given, node.line, run)


def apply_filter(name: str, value: object, given: dict[str, object], line: int, run: Run) -> object:
    """A filter's result for a value; raises `Fault` also when there is no such filter."""
    run.session.meter.step()
    filter_ = FILTERS.get(name)
    if filter_ is None:
        raise Fault(f"Filter [{name}] does not exist.", line)
    if value is None and not filter_.takes_null:
        return None
    if isinstance(value, str | list | dict):
        run.session.meter.charge(len(value))
    return derived(_guarded(line, lambda: filter_.apply(value, given, run)), (value, *given.values()), run)


def _tested(node: Tested, run: Run) -> bool:
    run.session.meter.step()
    predicate = PREDICATES.get(node.name)
    if predicate is None:
        raise Fault(f"Test [{node.name}] does not exist.", node.line)
    try:
        value = evaluate(node.target, run)
    except Undefined:
        if node.name != "defined":
            raise
        value = None
    return _guarded(node.line, lambda: predicate(value)) is not node.negated


def _call(node: Call, run: Run) -> object:
    run.session.meter.step()
    function = FUNCTIONS.get(node.name)
    if function is not None and not (function.unless_recursive and run.session.recursive):
        given = arguments(node.arguments, function.parameters, node.line, run)
        result = _guarded(node.line, lambda: function.apply(given, run))
        return result if function.opaque else derived(result, tuple(given.values()), run)
    macro = run.template.macros.get(node.name)
    if macro is None:
        raise Fault(f"Function or Macro [{node.name}] does not exist.", node.line)
    names = tuple(name for name, _ in macro.parameters)
    return _played(macro, arguments(node.arguments, names, node.line, run), run)


def _played(macro: Macro, given: dict[str, object], run: Run) -> str:
    """The text of a macro, which sees its parameters only."""
    inner = run.within(Scopes({}))
    sink = Captured(run.session)
    with run.session.meter.inside(run.template.height):
        for name, default in macro.parameters:
            value = given[name] if name in given else None if default is None else evaluate(default, inner)
            inner.scopes.assign(name, value)
        run.session.play(macro.body, inner, sink)
    return sink.result()


def arguments(written: Arguments, parameters: tuple[str, ...] | None, line: int, run: Run) -> dict[str, object]:
    """Arguments by the name of their parameter; without parameters by their place, `"0"`, `"1"`, …"""
    if parameters is None:
        return {str(place): evaluate(node, run) for place, node in enumerate(written.positional)}
    if len(written.positional) > len(parameters):
        allowed = f"Only {len(parameters)} argument(s) are allowed."
        raise Fault(f"The argument at position {len(parameters) + 1} is not allowed. {allowed}", line)
    given = {name: evaluate(node, run) for name, node in zip(parameters, written.positional, strict=False)}
    for name, node in written.named:
        if parameters and name not in parameters:
            raise Fault(f"The following named argument does not exist: {name}", line)
        given[name] = evaluate(node, run)
    return given


def _guarded(line: int, act: Callable[[], Result]) -> Result:
    """Run a piece of the language's library; whatever it finds wrong with the values becomes a `Fault` with a line."""
    try:
        return act()
    except Fault as fault:
        fault.line = fault.line or line
        raise
    except (NeedsWorld, BudgetExceeded):
        raise
    except ExpressionError as refusal:
        raise Unanswered(str(refusal), line) from refusal
    except _UNFIT as error:
        raise Fault(f"{error}", line) from error


_EVALUATORS: Mapping[type, Evaluator] = {
    Literal: _literal,
    Name: _name,
    Attribute: _attribute,
    Call: _call,
    Filtered: _filtered,
    Tested: _tested,
    Unary: _unary,
    Binary: _binary,
    Conditional: _conditional,
    ListLiteral: _list,
    MapLiteral: _map,
}
