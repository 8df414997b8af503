"""Rendering: texts to texts, maps and lists deeply, one expression to its typed value (spec/engine 6.3)."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TypeVar

from casemate.expressions.budget import DEFAULT, Budget, Meter, check_depth
from casemate.expressions.errors import BudgetExceeded, ExpressionError, Fault
from casemate.expressions.nodes import Arguments, Literal
from casemate.expressions.parse import parse
from casemate.expressions.plain import plain
from casemate.expressions.raw import RawBlocks, unwrapped
from casemate.expressions.run import Printed, Run, Session, Sink, Typed
from casemate.expressions.scope import Scopes
from casemate.expressions.statements import play
from casemate.expressions.world import World

_MOST_PASSES = 100
_MOST_NESTED = 5  # templates in texts of templates
_RENDERING = frozenset(("render", "renderOnce"))
_FALSE = frozenset(("", "false", "0", "-0"))

AnySink = TypeVar("AnySink", bound=Sink)


def render(
    template: object,
    variables: Mapping[str, object],
    world: World,
    *,
    recursive: bool = False,
    budget: Budget = DEFAULT,
) -> object:
    """The template with every expression replaced by its printed value.

    A text gives a text; maps (keys too) and lists are rendered deeply; other values stay as they are.
    `recursive` renders until nothing changes (`kestra.variables.recursive-rendering`). Raises `ExpressionError`:
    `NeedsWorld` when the world can not answer, `BudgetExceeded` when a limit is hit, else Kestra's text.
    """
    if isinstance(template, str) and "{" not in template:
        return template
    session = _session(variables, world, recursive, budget)
    return _deep(template, session, Scopes(variables), recursive, final=True)


def render_typed(template: str, variables: Mapping[str, object], world: World, *, budget: Budget = DEFAULT) -> object:
    """The value of a template that is one expression, with its type; text alone is that text.

    Raises `ExpressionError` like `render`, and for text before the expression, a second one, or text after no text.
    """
    if "{" not in template:
        return template
    session = _session(variables, world, recursive=False, budget=budget)
    blocks = RawBlocks(template)
    value = plain(_evaluated(blocks, session, Scopes(variables), Typed()).result, session.meter)
    return unwrapped(blocks.restored(value)) if isinstance(value, str) else value


def truthy(value: object) -> bool:
    """Whether a rendered condition holds: not for null, nothing, `false`, `0` and `-0` (spec/engine 6.6)."""
    return value is not None and str(value) not in _FALSE if not isinstance(value, bool) else value


def literal_secrets(template: object) -> frozenset[str]:
    """The names in `secret('X')` anywhere in a template, also in texts that are rendered later.

    Names that are computed are not found; a text that can not be parsed has none.
    """
    if isinstance(template, Mapping):
        return literal_secrets([*template, *template.values()])
    if isinstance(template, list | tuple):
        return frozenset[str]().union(*map(literal_secrets, template))
    return _secrets(template, 0) if isinstance(template, str) else frozenset()


def names_its_secrets(template: object) -> bool:
    """Are all secrets of a template named by literals, and is nothing rendered in it that stands elsewhere?

    Then `literal_secrets` are all that it can ask for. A text that can not be parsed asks for none.
    """
    if isinstance(template, Mapping):
        return names_its_secrets([*template, *template.values()])
    if isinstance(template, list | tuple):
        return all(map(names_its_secrets, template))
    return _named(template, 0) if isinstance(template, str) else True


def _named(text: str, depth: int) -> bool:
    if "{" not in text:
        return True
    if depth > _MOST_NESTED:
        return False
    try:
        template = parse(RawBlocks(text).text)
    except Fault:
        return True
    plain = all(
        call.name not in _RENDERING and (call.name != "secret" or _argument(call.arguments, "key") is not None)
        for call in template.calls
    )
    return plain and all(_named(inner, depth + 1) for inner in template.texts)


def _secrets(text: str, depth: int) -> frozenset[str]:
    if "{" not in text or "secret" not in text or depth > _MOST_NESTED:
        return frozenset()
    try:
        template = parse(RawBlocks(text).text)
    except Fault:
        return frozenset()
    named = (_argument(call.arguments, "key") for call in template.calls if call.name == "secret")
    inner = (_secrets(inner, depth + 1) for inner in template.texts)
    return frozenset(name for name in named if name is not None).union(*inner)


def _argument(arguments: Arguments, name: str) -> str | None:
    """A literal text given as the first argument or by name."""
    node = arguments.positional[0] if arguments.positional else dict(arguments.named).get(name)
    return node.value if isinstance(node, Literal) and isinstance(node.value, str) else None


# ---- one rendering


def _session(variables: Mapping[str, object], world: World, recursive: bool, budget: Budget) -> Session:
    return Session(world, Meter(budget), variables, recursive, play, _within)


def _within(template: object, run: Run, until_stable: bool) -> object:
    """What `render()` and `renderOnce()` do, with the variables of the template that calls them."""
    return _deep(template, run.session, run.scopes.copied(), until_stable, final=False)


def _deep(
    template: object, session: Session, scopes: Scopes, recursive: bool, *, final: bool, depth: int = 0
) -> object:
    check_depth(depth)
    match template:
        case str():
            return _text(template, session, scopes, recursive, final)
        case Mapping():
            rendered: dict[object, object] = {}
            for key, value in template.items():
                name = _text(key, session, scopes, recursive, final) if isinstance(key, str) else key
                inner = _deep(value, session, scopes, recursive, final=final, depth=depth + 1)
                rendered.setdefault(name, inner)
            return rendered
        case list() | tuple() | Set():
            return [_deep(item, session, scopes, recursive, final=final, depth=depth + 1) for item in template]
    return template


def _text(text: str, session: Session, scopes: Scopes, recursive: bool, final: bool) -> str:
    if "{" not in text:
        return text
    rendered = _until_stable(text, session, scopes) if recursive else _once(text, session, scopes)
    return unwrapped(rendered) if final else rendered


def _until_stable(text: str, session: Session, scopes: Scopes) -> str:
    for _ in range(_MOST_PASSES + 1):
        rendered = _once(text, session, scopes)
        if rendered == text:
            return rendered
        text = rendered
    raise ExpressionError("Too many rendering attempts")


def _once(text: str, session: Session, scopes: Scopes) -> str:
    if "{" not in text:
        return text
    blocks = RawBlocks(text)
    return blocks.restored(_evaluated(blocks, session, scopes, Printed(session)).result())


def _evaluated(blocks: RawBlocks, session: Session, scopes: Scopes, sink: AnySink) -> AnySink:
    """Everything the template prints; faults get their place here, in the template that they happened in."""
    try:
        template = parse(blocks.text)
        with session.meter.inside(template.height):
            play(template.body, Run(session, template, scopes.copied()), sink)
    except Fault as fault:
        raise fault.placed(blocks.restored(blocks.text)) from fault
    except RecursionError as error:
        raise BudgetExceeded("The expression nests too deeply") from error
    return sink
