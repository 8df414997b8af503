"""Expressions out of tokens: a Pratt parser with Pebble's precedences (spec/engine 6.4)."""

from __future__ import annotations

from casemate.expressions.budget import HEIGHT_LIMIT, NESTING_LIMIT
from casemate.expressions.errors import Malformed
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
    MapLiteral,
    Name,
    Tested,
    Unary,
)
from casemate.expressions.tokens import Kind, Stream, Token
from casemate.expressions.values import Long

BINDING = {
    "or": 10,
    "and": 15,
    "is": 20,
    "is not": 20,
    "contains": 20,
    **dict.fromkeys(("==", "equals", "!=", ">", "<", ">=", "<="), 30),
    **dict.fromkeys("+-", 40),
    **dict.fromkeys("*/%", 60),
    "|": 100,
    "~": 110,
    "..": 120,
    "??": 120,
    "???": 120,
}
"""How tightly the binary operators bind; all of them group to the left."""

_UNARY = frozenset(("not", "+", "-"))
_UNARY_BINDING = 500
_CONSTANTS = {"true": True, "TRUE": True, "false": False, "FALSE": False} | dict.fromkeys(
    ("null", "NULL", "none", "NONE")
)
_RESERVED = frozenset(("true", "false", "null", "none"))
_LARGEST = (1 << 63) - 1


class ExpressionParser:
    """Reads expressions from a stream, and remembers the calls and texts it met and how high the trees grew."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.calls: list[Call] = []
        self.texts: list[str] = []
        self.height = 0
        self._level = 0
        self._nesting = 0

    def descend(self) -> None:
        """One more bracket or tag is open; raises `Malformed` when there are too many."""
        self._nesting += 1
        if self._nesting > NESTING_LIMIT:
            raise Malformed(f"The template nests deeper than {NESTING_LIMIT} levels", self.stream.current.line)
        self._climb()

    def ascend(self) -> None:
        """The bracket or tag is closed."""
        self._nesting -= 1
        self._level -= 1

    def _climb(self) -> None:
        self._level += 1
        self.height = max(self.height, self._level)
        if self._level > HEIGHT_LIMIT:
            raise Malformed(f"The expression chains more than {HEIGHT_LIMIT} operations", self.stream.current.line)

    def expression(self, least: int = 0) -> Expression:
        """One expression made of operators that bind at least that tightly."""
        self.descend()
        level = self._level
        node = self._operand()
        while (binding := self._binding()) >= least:
            self._climb()
            node = self._operation(node, self.stream.advance(), binding)
        if least == 0 and self.stream.accept("?"):
            node = self._conditional(node)
        self._level = level
        self.ascend()
        return node

    def _binding(self) -> int:
        token = self.stream.current
        return BINDING.get(str(token.value), -1) if token.kind is Kind.OPERATOR else -1

    def _operation(self, left: Expression, operator: Token, binding: int) -> Expression:
        symbol = str(operator.value)
        match symbol:
            case "|":
                name, arguments, line = self.invocation()
                return Filtered(left, name, arguments, line)
            case "is" | "is not":
                name, _, line = self.invocation()
                return Tested(left, name, symbol == "is not", line)
            case _:
                right = self.expression(binding + 1)
                return Binary("==" if symbol == "equals" else symbol, left, right, operator.line)

    def invocation(self) -> tuple[str, Arguments, int]:
        """The name of a filter or test, its arguments if any, and its line."""
        token = self.stream.expect(Kind.NAME)
        arguments = self.arguments() if self.stream.current.punctuates("(") else Arguments()
        return str(token.value), arguments, token.line

    def _conditional(self, condition: Expression) -> Expression:
        line = self.stream.current.line
        yes = self.expression()
        self.stream.expect(Kind.PUNCTUATION, ":")
        return Conditional(condition, yes, self.expression(), line)

    # ---- operands

    def _operand(self) -> Expression:
        token = self.stream.current
        if token.kind is Kind.OPERATOR and token.value in _UNARY:
            self.stream.advance()
            return Unary(str(token.value), self.expression(_UNARY_BINDING), token.line)
        if token.punctuates("["):
            return self._list()
        if token.punctuates("{"):
            return self._map()
        if self.stream.accept("("):
            inner = self.expression()
            self.stream.expect(Kind.PUNCTUATION, ")")
            return self._postfix(inner)
        return self._postfix(self._primary(token))

    def _primary(self, token: Token) -> Expression:
        match token.kind:
            case Kind.NAME:
                return self._name()
            case Kind.LONG | Kind.NUMBER:
                self.stream.advance()
                return Literal(_number(token), token.line)
            case Kind.STRING | Kind.INTERPOLATION_START:
                return self._string()
            case _:
                shown = "null" if token.value is None else token.value
                raise Malformed(f'Unexpected token "{token.kind}" of value "{shown}"', token.line)

    def _name(self) -> Expression:
        token = self.stream.advance()
        name = str(token.value)
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name], token.line)
        if not self.stream.current.punctuates("("):
            return Name(name, token.line)
        call = Call(name, self.arguments(), token.line)
        self.calls.append(call)
        return call

    def _string(self) -> Expression:
        """A text; `"a#{b}c"` is `"a" ~ b ~ "c"`."""
        parts: list[Expression] = []
        line = self.stream.current.line
        last = Kind.INTERPOLATION_END
        while True:
            token = self.stream.current
            if token.kind is Kind.STRING and last is not Kind.STRING:
                self.texts.append(str(token.value))
                parts.append(Literal(self.stream.advance().value, token.line))
            elif token.kind is Kind.INTERPOLATION_START:
                self.stream.advance()
                parts.append(self.expression())
                self.stream.expect(Kind.INTERPOLATION_END)
            else:
                return self._joined(parts, line)
            last = token.kind

    def _joined(self, parts: list[Expression], line: int) -> Expression:
        joined = parts[0]
        for part in parts[1:]:
            self._climb()
            joined = Binary("~", joined, part, line)
        return joined

    def _postfix(self, node: Expression) -> Expression:
        while True:
            token = self.stream.current
            if token.punctuates("."):
                node = self._member(node)
            elif token.punctuates("["):
                self.stream.advance()
                key = self.expression()
                line = self.stream.expect(Kind.PUNCTUATION, "]").line
                node = Attribute(node, key, None, line)
            else:
                return node
            self._climb()

    def _member(self, node: Expression) -> Expression:
        self.stream.advance()
        token = self.stream.expect(Kind.NAME)
        key = Literal(token.value, token.line)
        if not self.stream.current.punctuates("("):
            return Attribute(node, key, None, token.line)
        given = self.arguments()
        if given.named:
            raise Malformed("Can not use named arguments when calling a bean method", self.stream.current.line)
        return Attribute(node, key, given.positional, token.line)

    # ---- brackets

    def arguments(self) -> Arguments:
        """`(a, b, name=c)`; positional ones come first."""
        self.stream.expect(Kind.PUNCTUATION, "(")
        positional: list[Expression] = []
        named: list[tuple[str, Expression]] = []
        while not self.stream.current.punctuates(")"):
            if positional or named:
                self.stream.expect(Kind.PUNCTUATION, ",")
            if self.stream.peek().punctuates("="):
                named.append(self._named())
            elif named:
                message = "Positional arguments must be declared before any named arguments."
                raise Malformed(message, self.stream.current.line)
            else:
                positional.append(self.expression())
        self.stream.expect(Kind.PUNCTUATION, ")")
        return Arguments(tuple(positional), tuple(named))

    def _named(self) -> tuple[str, Expression]:
        name = self.new_name()
        self.stream.expect(Kind.PUNCTUATION, "=")
        return name, self.expression()

    def new_name(self) -> str:
        """A name that is being given a value."""
        token = self.stream.expect(Kind.NAME)
        if token.value in _RESERVED:
            raise Malformed(f"Can not assign a value to {token.value}", token.line)
        return str(token.value)

    def _list(self) -> Expression:
        line = self.stream.expect(Kind.PUNCTUATION, "[").line
        elements: list[Expression] = []
        if not self.stream.current.punctuates("]"):
            elements.append(self.expression())
            while not self.stream.current.punctuates("]"):
                self.stream.expect(Kind.PUNCTUATION, ",")
                elements.append(self.expression())
        self.stream.expect(Kind.PUNCTUATION, "]")
        return ListLiteral(tuple(elements), line)

    def _map(self) -> Expression:
        line = self.stream.expect(Kind.PUNCTUATION, "{").line
        entries: list[tuple[Expression, Expression]] = []
        if not self.stream.current.punctuates("}"):
            entries.append(self._entry())
            while not self.stream.current.punctuates("}"):
                self.stream.expect(Kind.PUNCTUATION, ",")
                entries.append(self._entry())
        self.stream.expect(Kind.PUNCTUATION, "}")
        return MapLiteral(tuple(entries), line)

    def _entry(self) -> tuple[Expression, Expression]:
        key = self.expression()
        self.stream.expect(Kind.PUNCTUATION, ":")
        return key, self.expression()


def _number(token: Token) -> float | Long:
    text = str(token.value)
    if "." in text:
        return float(text)
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(_LARGEST)) or int(digits) > _LARGEST:
        raise Malformed(f'For input string: "{text}"', token.line)
    return Long(digits)
