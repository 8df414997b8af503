"""The functions, `name(…)` (spec/engine 6.5). What they need of the world they ask the run's world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from casemate.expressions import given as arguments
from casemate.expressions.derived import texts
from casemate.expressions.errors import Fault
from casemate.expressions.filters.dates import FORMAT_PARAMETERS, shown_date
from casemate.expressions.given import Given
from casemate.expressions.json_reading import read_json
from casemate.expressions.operators import ordered
from casemate.expressions.printing import java_text
from casemate.expressions.run import Captured, Run
from casemate.expressions.values import Long, is_number
from casemate.expressions.world_functions import OPAQUE, WORLD_FUNCTIONS
from casemate.expressions.yaml_reading import read_yaml

Apply: TypeAlias = Callable[[Given, Run], object]


@dataclass(frozen=True, slots=True)
class Function:
    """One function; without `parameters` it takes any number of arguments, by place."""

    apply: Apply
    parameters: tuple[str, ...] | None = None
    unless_recursive: bool = False  #: does not exist where everything is rendered recursively anyway
    opaque: bool = False  #: its result tells nothing of its arguments


def _now(given: Given, run: Run) -> str:
    return shown_date(run.session.world.now, given, run)


# ---- reading texts


def _reading(name: str, argument: str, read: Callable[[str], object]) -> Function:
    """A function of one text; null stays null."""
    expects = f"The '{name}' function expects an argument '{argument}'"

    def apply(given: Given, run: Run) -> object:
        value = arguments.required(given, argument, f"{expects}.")
        if value is None:
            return None
        if not isinstance(value, str):
            raise Fault(f"{expects} with type string.")
        run.session.meter.charge(4 * len(value))
        return read(value)

    return Function(apply, (argument,))


def _from_json(text: str) -> object:
    try:
        return read_json(text)
    except ValueError as error:
        raise Fault(f"Invalid json: {error}") from error


def _from_ion(text: str) -> object:
    from casemate.expressions.ion_reading import read_ion

    return read_ion(text)


_FROM_JSON = _reading("fromJson", "json", _from_json)


# ---- the execution's variables


def _current_each_output(given: Given, run: Run) -> object:
    """The entry of the current iteration: along the values of the parents, farthest first, then of the task run."""
    expects = "The 'currentEachOutput' function expects an argument 'outputs'"
    outputs = arguments.required(given, "outputs", f"{expects}.")
    if not isinstance(outputs, Mapping):
        raise Fault(f"{expects} with type map.")
    parents = run.session.given.get("parents")
    for parent in reversed(parents if isinstance(parents, list | tuple) else ()):
        value = _value_of(parent)
        if value is not None:
            outputs = _under(outputs, value)
    value = _value_of(run.session.given)
    return outputs.get(str(value)) if value is not None else None


def _value_of(level: object) -> object:
    taskrun = level.get("taskrun") if isinstance(level, Mapping) else None
    return taskrun.get("value") if isinstance(taskrun, Mapping) else None


def _under(outputs: Mapping[str, object], value: object) -> Mapping[str, object]:
    inner = outputs.get(str(value))
    if not isinstance(inner, Mapping):
        raise Fault("No execution outputs for the current task runs path")
    return inner


def _print_context(_given: Given, run: Run) -> object:
    return run.scopes.everything()


def _mask(given: Given, run: Run) -> object:
    """The value itself; logs do not show its texts and numbers from now on."""
    value = arguments.required(given, "value", "The 'mask' function expects an argument 'value'.")
    for text in texts(value, run.session.meter) if not is_number(value) else (java_text(value, run.session.meter),):
        if not run.session.world.mask.derive(text):
            raise Fault("mask() was given more than can be covered in logs")
    return value


# ---- numbers


def _extreme(symbol: str) -> Function:
    def apply(given: Given, _run: Run) -> object:
        best = None
        for candidate in given.values():
            if best is None or ordered(symbol, candidate, best):
                best = candidate
        return best

    return Function(apply)


def _range(given: Given, run: Run) -> list[object]:
    start, end, step = given.get("start"), given.get("end"), given.get("increment")
    if step is None:
        step = 1
    if not is_number(step):
        raise Fault(f"The increment of the range function must be a number {step}")
    if int(step) == 0:
        raise Fault("The increment of the range function must be different than 0")
    if is_number(start) and is_number(end):
        return [Long(number) for number in _span(int(start), int(end), int(step), run)]
    if isinstance(start, str) and isinstance(end, str) and len(start) == len(end) == 1:
        return [chr(code) for code in _span(ord(start), ord(end), int(step), run)]
    raise Fault("Arguments of range function must be of type Number or String with a length of 1")


def _span(start: int, end: int, step: int, run: Run) -> range:
    span = range(start, end + (1 if step > 0 else -1), step)
    length = max(0, (span.stop - span.start) // span.step + 1)  # len() refuses what is longer than 64 bits
    run.session.meter.charge(length)
    return span


# ---- templates within templates


def _render(given: Given, run: Run) -> object:
    template = arguments.required(given, "toRender", "The 'render' function expects an argument 'toRender'.")
    recursive = given.get("recursive")
    if recursive is not None and not isinstance(recursive, bool):
        raise Fault("The 'render' function expects an optional argument 'recursive' with type boolean.")
    return run.session.render(template, run, recursive is not False)


def _render_once(given: Given, run: Run) -> object:
    template = arguments.required(given, "toRender", "The 'renderOnce' function expects an argument 'toRender'.")
    return run.session.render(template, run, False)


def _block(given: Given, run: Run) -> str:
    """A block of the same template, printed once more."""
    body = run.template.blocks.get(str(given.get("name")))
    if body is None:
        return ""
    sink = Captured(run.session)
    with run.session.meter.inside(run.template.height):
        run.session.play(body, run, sink)
    return sink.result()


def _parent(_given: Given, _run: Run) -> object:
    raise Fault("Can not use parent function if template does not extend another template.")


FUNCTIONS: Mapping[str, Function] = {
    "now": Function(_now, FORMAT_PARAMETERS),
    "json": _FROM_JSON,
    "fromJson": _FROM_JSON,
    "yaml": _reading("yaml", "yaml", read_yaml),
    "fromIon": _reading("fromIon", "ion", _from_ion),
    "currentEachOutput": Function(_current_each_output, ("outputs",)),
    "printContext": Function(_print_context, ()),
    "fetchContext": Function(_print_context, ()),
    "max": _extreme(">"),
    "min": _extreme("<"),
    "range": Function(_range, ("start", "end", "increment")),
    "render": Function(_render, ("toRender", "recursive"), unless_recursive=True),
    "renderOnce": Function(_render_once, ("toRender",), unless_recursive=True),
    "block": Function(_block, ("name",)),
    "parent": Function(_parent),
    "mask": Function(_mask, ("value",)),
    **{
        name: Function(apply, parameters, opaque=name in OPAQUE)
        for name, (apply, parameters) in WORLD_FUNCTIONS.items()
    },
}
