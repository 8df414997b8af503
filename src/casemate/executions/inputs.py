"""From what someone submits to the inputs of an execution, and from rendered values to its outputs (spec/engine 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from casemate.errors import Problem, Refused
from casemate.executions.input_types import TYPES, Misfit, is_secret, live, typed
from casemate.executions.values import class_of
from casemate.expressions import ExpressionError, World, printed, render_typed
from casemate.flows import Flow, Input, Output
from casemate.masking import Mask
from casemate.sealed import Seal, Sealed, Unseal, as_input, disowned, envelope, opened
from casemate.secret import HIDDEN, Secret

Keep: TypeAlias = Callable[[Sealed], object]
"""What of a sealed value is stored."""

_NO_KEY = "Unable to use a `SECRET` input/output as encryption is not configured"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs of an execution as they are stored: JSON values, dots in ids made into nesting, secrets sealed."""

    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedInput:
    """One input after resolution. A SELECT with an `expression` got its `values`.

    The value of a disabled one is what was submitted, unread, for whoever shows the form; no execution gets it. Its
    problem is that of its condition, which disables it and stops nothing.
    """

    input: Input
    value: object = None
    enabled: bool = True
    problem: Problem | None = None


@dataclass(slots=True)
class _Resolution:
    """The inputs resolved so far; each is resolved once, those it depends on before it."""

    submitted: Mapping[str, object]
    world: World
    seal: Seal
    keep: Keep
    inputs: Mapping[str, Input]
    done: dict[str, ResolvedInput] = field(default_factory=dict)
    clear: dict[str, object] = field(default_factory=dict)
    unsaid: Mask = field(default_factory=Mask)


def resolve_inputs(
    flow: Flow, submitted: Mapping[str, object], world: World, seal: Seal = None, keep: Keep = as_input
) -> Inputs | tuple[Problem, ...]:
    """The inputs to start the flow with, or every problem with what was submitted.

    Uploaded files arrive as their `kestra://` URIs. Names that are no input are ignored. `seal` seals the SECRET ones,
    which are stored in the form that `keep` gives them. `world` answers the functions that SELECT's `expression` and
    conditions may use.
    """
    resolved = resolve_each(flow.inputs, submitted, world, seal, keep)
    problems = tuple(one.problem for one in resolved if one.problem is not None and one.enabled)
    if problems:
        return problems
    return nested({one.input.id: one.value for one in resolved if one.enabled})


def resolve_each(
    inputs: tuple[Input, ...], submitted: Mapping[str, object], world: World, seal: Seal = None, keep: Keep = as_input
) -> tuple[ResolvedInput, ...]:
    """Every input by itself: what it became, whether it is enabled, what is wrong with it."""
    resolution = _Resolution(submitted, world, seal, keep, {one.id: one for one in inputs})
    for one in inputs:
        _resolve(resolution, one, ())
    return tuple(resolution.done[one.id] for one in inputs)


def nested(values: Mapping[str, object]) -> Inputs | tuple[Problem, ...]:
    """Values by dotted ids as a tree."""
    tree: dict[str, object] = {}
    for name, value in values.items():
        *way, last = name.split(".")
        node: Any = tree
        for step in way:
            node = node.setdefault(step, {}) if isinstance(node, dict) else None
        if not isinstance(node, dict) or last in node:
            return (Problem(code="input-conflict", message=f"Conflict at key: {name}", path=name),)
        node[last] = value
    return Inputs(tree)


def sealed_inputs(flow: Flow, given: Mapping[str, object], seal: Seal, keep: Keep = as_input) -> Mapping[str, object]:
    """Inputs that nobody has resolved (spec/engine 9.2), as they are stored: as given, but for SECRET ones.

    Names with dots may be given as they are, or as a tree.

    Raises Refused if there is one of these and no encryption key.
    """
    return _all_sealed(flow.inputs, {name: disowned(value) for name, value in given.items()}, seal, keep)


def retyped_inputs(old: Flow, new: Flow, stored: Mapping[str, object], seal: Seal) -> Mapping[str, object]:
    """The inputs of an execution of one revision for an execution of another: what has become a SECRET is sealed.

    It was taken for a cipher text otherwise, which anybody may have written there. Raises as `sealed_inputs` does.
    """
    known = {one.id for one in old.inputs if is_secret(one.type, one.properties)}
    return _all_sealed(tuple(one for one in new.inputs if one.id not in known), stored, seal, as_input)


def _all_sealed(inputs: tuple[Input, ...], given: Mapping[str, object], seal: Seal, keep: Keep) -> Mapping[str, object]:
    for one in inputs:
        if is_secret(one.type, one.properties):
            try:
                given = _sealed_at(given, [one.id] if one.id in given else one.id.split("."), seal, keep)
            except Misfit as misfit:
                raise Refused([_problem("input", one, misfit, "")]) from misfit
    return given


def _sealed_at(tree: Mapping[str, object], way: list[str], seal: Seal, keep: Keep) -> Mapping[str, object]:
    name, *below = way
    value = tree.get(name)
    if below:
        return {**tree, name: _sealed_at(value, below, seal, keep)} if isinstance(value, Mapping) else tree
    return tree if value is None else {**tree, name: _kept(value, seal, keep)}


def live_inputs(flow: Flow, stored: Mapping[str, object], unseal: Unseal) -> dict[str, object]:
    """The inputs as templates see them: dates are dates, secrets are clear, absent ones have their defaults."""
    tree = dict(stored)
    for one in flow.inputs:
        *way, last = one.id.split(".")
        node = tree
        for step in way:
            below = node.get(step)
            node[step] = node = dict(below) if isinstance(below, Mapping) else {}
        if last in node:
            node[last] = _live(one, node[last], unseal)
        elif one.defaults is not None:
            node[last] = _default(one)
    return tree


def resolve_outputs(flow: Flow, rendered: Mapping[str, object], seal: Seal = None) -> dict[str, object]:
    """The flow's outputs from their rendered values, as they are stored. Raises Refused with every problem."""
    values: dict[str, object] = {}
    problems = []
    for output in flow.outputs:
        raw = rendered[output.id]
        try:
            values[output.id] = _output(output.type, raw, output.properties, seal)
        except Misfit as misfit:
            problems.append(_problem("output", output, misfit, raw))
    if problems:
        raise Refused(problems)
    return values


def _resolve(resolution: _Resolution, one: Input, asking: tuple[str, ...]) -> None:
    if one.id in resolution.done or one.id in asking:
        return
    for name in one.depends_on:
        if name in resolution.inputs:
            _resolve(resolution, resolution.inputs[name], (*asking, one.id))
    resolution.done[one.id] = _resolved(resolution, one)


def _resolved(resolution: _Resolution, one: Input) -> ResolvedInput:
    raw = resolution.submitted.get(one.id)
    raw = one.defaults if raw is None else raw
    try:
        one = _with_choices(resolution, one)
        enabled, problem = _enabled(resolution, one)
        if not enabled:
            shown = None if is_secret(one.type, one.properties) else raw
            return ResolvedInput(input=one, value=shown, enabled=False, problem=problem)
        return ResolvedInput(input=one, value=_value(resolution, one, raw))
    except Misfit as misfit:
        return ResolvedInput(input=one, problem=_problem("input", one, misfit, raw))


def _with_choices(resolution: _Resolution, one: Input) -> Input:
    """A SELECT or MULTISELECT with the values that its `expression` gives."""
    expression = one.properties.get("expression")
    if expression is None:
        return one
    try:
        values = render_typed(str(expression), {"inputs": _tree(resolution.clear)}, resolution.world)
    except ExpressionError as error:
        raise Misfit(f"Cannot render 'expression'. Cause: {resolution.unsaid.cover(str(error))}") from None
    if not isinstance(values, list | tuple):
        kind = class_of(values)
        raise Misfit(f"Invalid expression result. Expected a list of strings, but received {kind}")
    return replace(one, properties={**one.properties, "values": [printed(value) for value in values]})


def _enabled(resolution: _Resolution, one: Input) -> tuple[bool, Problem | None]:
    """Is it asked for at all? A condition that fails does not hold (spec/engine 2.3)."""
    if any(name in resolution.done and not resolution.done[name].enabled for name in one.depends_on):
        return False, None
    if one.condition is None:
        return True, None
    seen = {name: resolution.clear[name] for name in one.depends_on if name in resolution.clear}
    try:
        return render_typed(one.condition, {"inputs": _tree(seen)}, resolution.world) is True, None
    except ExpressionError as error:
        reason = resolution.unsaid.cover(str(error))
        return False, Problem(code="input-condition", message=f"Invalid condition: {reason}", path=one.id)


def _tree(values: Mapping[str, object]) -> Mapping[str, object]:
    """Conflicts among ids are reported elsewhere; here the tree is only looked at."""
    made = nested(values)
    return made.values if isinstance(made, Inputs) else values


def _value(resolution: _Resolution, one: Input, raw: object) -> object:
    if raw is None:
        if one.required:
            raise Misfit("missing required input")
        resolution.clear[one.id] = None
        return None
    value = typed(one.type, raw, one.properties)
    resolution.clear[one.id] = value
    if is_secret(one.type, one.properties):
        resolution.unsaid.add_all(Secret(printed(each)) for each in (value if isinstance(value, list) else [value]))
        return _kept(value, resolution.seal, resolution.keep)
    return disowned(TYPES[one.type].stored(value))


def _kept(clear: object, seal: Seal, keep: Keep) -> object:
    """What is stored of the value of a SECRET, or of each of a list of them."""
    if isinstance(clear, list):
        return [_kept(one, seal, keep) for one in clear]
    if seal is None:
        raise Misfit(_NO_KEY)
    return keep(seal(clear if isinstance(clear, str) else printed(clear)))


def _output(kind: str, raw: object, properties: Mapping[str, object], seal: Seal) -> object:
    if raw is None:
        raise Misfit("missing required output")
    value = typed(kind, raw, properties)
    if is_secret(kind, properties):
        return _kept(value, seal, envelope)
    return disowned(TYPES[kind].stored(value))


def _problem(what: str, one: Input | Output, misfit: Misfit, raw: object) -> Problem:
    offending = raw if misfit.value is None else misfit.value
    received = "null" if offending is None else printed(offending)
    if is_secret(one.type, one.properties) and offending is not None:
        received = HIDDEN
    message = f"Invalid {what} for `{one.id}`, {misfit}, but received `{received}`"
    return Problem(code=f"{what}-invalid", message=message, path=one.id)


def _live(one: Input, value: object, unseal: Unseal) -> object:
    if not is_secret(one.type, one.properties):
        return live(one.type, value)
    return value if unseal is None else opened(_marked(value), unseal)


def _marked(value: object) -> object:
    """A stored SECRET, or a list of them, in envelopes: a bare cipher text is how Kestra stores an input."""
    if isinstance(value, list):
        return [_marked(one) for one in value]
    return envelope(Sealed(value)) if isinstance(value, str) else value


def _default(one: Input) -> object:
    try:
        return typed(one.type, one.defaults, one.properties)
    except Misfit:
        return one.defaults
