"""What statements do: print, choose, repeat, remember (spec/engine 6.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from casemate.expressions.errors import Fault, Unanswered
from casemate.expressions.evaluate import apply_filter, arguments, evaluate
from casemate.expressions.filters import FILTERS
from casemate.expressions.nodes import Block, Body, Expression, FilterBlock, For, If, Print, Set, Text
from casemate.expressions.printing import java_text
from casemate.expressions.run import Captured, Run, Sink
from casemate.expressions.values import Entry, is_number, items, truth

Player: TypeAlias = Callable[[Any, Run, Sink], None]


def play(body: Body, run: Run, sink: Sink) -> None:
    """Print statements one after the other; raises `Fault`, `NeedsWorld` or `BudgetExceeded`."""
    for statement in body:
        _PLAYERS[type(statement)](statement, run, sink)


def _text(statement: Text, _run: Run, sink: Sink) -> None:
    sink.text(statement.text)


def _print(statement: Print, run: Run, sink: Sink) -> None:
    run.session.meter.step()
    value = evaluate(statement.expression, run)
    if value is not None:
        sink.value(value)


def _if(statement: If, run: Run, sink: Sink) -> None:
    for condition, body in statement.branches:
        if _holds(condition, statement.line, run):
            play(body, run, sink)
            return
    play(statement.otherwise, run, sink)


def _holds(condition: Expression, line: int, run: Run) -> bool:
    """Whatever fails in a condition, an unknown variable too, is reported as its failure."""
    run.session.meter.step()
    try:
        value = evaluate(condition, run)
        if not isinstance(value, bool | str) and not is_number(value):
            raise Fault("null value given to if statement and strict variables is set to true")
        return truth(value)
    except Unanswered:
        raise
    except Fault as fault:
        raise Fault("Wrong operand(s) type in conditional expression", line) from fault


def _for(statement: For, run: Run, sink: Sink) -> None:
    value = evaluate(statement.iterable, run)
    if value is None:
        return
    elements = items([Entry(*pair) for pair in value.items()] if isinstance(value, Mapping) else value)
    if elements is None:
        shown = java_text(value, run.session.meter)
        raise Fault(f"Not an iterable object. Value = [{shown}]", statement.line)
    if not elements:
        play(statement.otherwise, run, sink)
        return
    _repeat(statement, elements, run, sink)


def _repeat(statement: For, elements: list[object] | tuple[object, ...], run: Run, sink: Sink) -> None:
    """The body once for every element; all rounds share one layer of variables."""
    layer: dict[str, object] = {}
    run.scopes.push(layer)
    length = len(elements)
    for index, element in enumerate(tuple(elements)):
        run.session.meter.step()
        layer["loop"] = {
            "last": index == length - 1,
            "length": length,
            "index": index,
            "revindex": length - index - 1,
            "first": index == 0,
        }
        layer[statement.name] = element
        play(statement.body, run, sink)
    run.scopes.pop()


def _set(statement: Set, run: Run, _sink: Sink) -> None:
    run.session.meter.step()
    run.scopes.assign(statement.name, evaluate(statement.expression, run))


def _block(statement: Block, run: Run, sink: Sink) -> None:
    play(statement.body, run, sink)


def _filter(statement: FilterBlock, run: Run, sink: Sink) -> None:
    captured = Captured(run.session)
    play(statement.body, run, captured)
    value: object = captured.result()
    for name, written in statement.filters:
        filter_ = FILTERS.get(name)
        given = {} if filter_ is None else arguments(written, filter_.parameters, statement.line, run)
        value = apply_filter(name, value, given, statement.line, run)
    if value is not None:
        sink.value(value)


_PLAYERS: Mapping[type, Player] = {
    Text: _text,
    Print: _print,
    If: _if,
    For: _for,
    Set: _set,
    Block: _block,
    FilterBlock: _filter,
}
