"""What a parsed template consists of: expressions, statements, and the template that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: object
    line: int


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """`target.key` or `target[key]`; `arguments` when it is called as a method of a value."""

    target: Expression
    key: Expression
    arguments: tuple[Expression, ...] | None
    line: int


@dataclass(frozen=True, slots=True)
class Arguments:
    """What stands in the brackets of a call."""

    positional: tuple[Expression, ...] = ()
    named: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A function or macro called."""

    name: str
    arguments: Arguments
    line: int


@dataclass(frozen=True, slots=True)
class Filtered:
    """`target | name(…)`."""

    target: Expression
    name: str
    arguments: Arguments
    line: int


@dataclass(frozen=True, slots=True)
class Tested:
    """`target is name` or `target is not name`."""

    target: Expression
    name: str
    negated: bool
    line: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`not`, `+` or `-` before an operand."""

    symbol: str
    operand: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and the symbol between them."""

    symbol: str
    left: Expression
    right: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? yes : no`."""

    condition: Expression
    yes: Expression
    no: Expression
    line: int


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{key: value}`."""

    entries: tuple[tuple[Expression, Expression], ...]
    line: int


Expression: TypeAlias = (
    Literal | Name | Attribute | Call | Filtered | Tested | Unary | Binary | Conditional | ListLiteral | MapLiteral
)


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between the tags."""

    text: str


@dataclass(frozen=True, slots=True)
class Print:
    """`{{ expression }}`."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class If:
    """`{% if %}` with its `elseif`s in order and its `else`."""

    branches: tuple[tuple[Expression, Body], ...]
    otherwise: Body
    line: int


@dataclass(frozen=True, slots=True)
class For:
    """`{% for name in expression %}`."""

    name: str
    iterable: Expression
    body: Body
    otherwise: Body
    line: int


@dataclass(frozen=True, slots=True)
class Set:
    """`{% set name = expression %}`."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Block:
    """`{% block name %}`: printed where it stands, and again by `block(name)`."""

    name: str
    body: Body


@dataclass(frozen=True, slots=True)
class FilterBlock:
    """`{% filter a | b %}`: the body's text goes through the filters."""

    filters: tuple[tuple[str, Arguments], ...]
    body: Body
    line: int


Statement: TypeAlias = Text | Print | If | For | Set | Block | FilterBlock
Body: TypeAlias = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Macro:
    """`{% macro name(a, b = default) %}`."""

    parameters: tuple[tuple[str, Expression | None], ...]
    body: Body


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. `height` is how many levels its evaluation takes, `calls` and `texts` are what it mentions."""

    body: Body
    macros: Mapping[str, Macro]
    blocks: Mapping[str, Body]
    height: int
    calls: tuple[Call, ...]
    texts: tuple[str, ...]
