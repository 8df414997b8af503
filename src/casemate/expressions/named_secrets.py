"""Which secrets a template asks for, with what its author wrote of each, for those who check them beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from casemate.expressions.errors import Fault
from casemate.expressions.nodes import Arguments, Expression, Literal
from casemate.expressions.parse import parse
from casemate.expressions.raw import RawBlocks

_PARAMETERS = ("key", "namespace", "subkey", "full", "inherit")
_TEXTS = ("key", "namespace", "subkey")
_MOST_NESTED = 5  # templates in texts of templates


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSecret:
    """One `secret(…)` of a template. `name` is None where it is worked out; `computed` are the arguments that are."""

    name: str | None
    namespace: str | None = None
    subkey: str | None = None
    inherit: bool = True
    computed: frozenset[str] = frozenset()
    line: int = 1
    """Of the text it stands in, from 1."""


def named_secrets(text: str) -> tuple[NamedSecret, ...]:
    """Every call of `secret`, also in texts that are rendered later; a text that can not be parsed has none."""
    return tuple(_of(text, 0))


def _of(text: str, depth: int) -> Iterator[NamedSecret]:
    if "{" not in text or "secret" not in text or depth > _MOST_NESTED:
        return
    try:
        template = parse(RawBlocks(text).text)
    except Fault:
        return
    yield from (_named(call.arguments, call.line) for call in template.calls if call.name == "secret")
    for inner in template.texts:
        # A text that is a template is told to be in the first line: its own lines are not those of the whole.
        yield from (replace(one, line=1) for one in _of(inner, depth + 1))


def _named(arguments: Arguments, line: int) -> NamedSecret:
    given = {**dict(zip(_PARAMETERS, arguments.positional, strict=False)), **dict(arguments.named)}
    told = {name: _text(node) for name, node in given.items() if name in _TEXTS}
    inherit = given.get("inherit", Literal(True, line))
    computed = {name for name, text in told.items() if text is None and not _is_null(given[name])}
    return NamedSecret(
        name=told.get("key"),
        namespace=told.get("namespace"),
        subkey=told.get("subkey"),
        inherit=not (isinstance(inherit, Literal) and inherit.value is False),
        computed=frozenset(computed if isinstance(inherit, Literal) else {*computed, "inherit"}),
        line=line,
    )


def _text(node: Expression) -> str | None:
    return node.value if isinstance(node, Literal) and isinstance(node.value, str) else None


def _is_null(node: Expression) -> bool:
    return isinstance(node, Literal) and node.value is None
