"""Templates out of text: tags and what stands between them (spec/engine 6.4). Parsed templates are remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from casemate.expressions.errors import Malformed
from casemate.expressions.lexer import tokenize
from casemate.expressions.nodes import (
    Arguments,
    Block,
    Body,
    Expression,
    FilterBlock,
    For,
    If,
    Macro,
    Print,
    Set,
    Statement,
    Template,
    Text,
)
from casemate.expressions.parse_expression import ExpressionParser
from casemate.expressions.tokens import Kind, Stream, Token

_REMEMBERED = 1000  # templates, as many as Kestra keeps by default
_REMEMBERED_SIZE = 65_536  # characters; longer ones are rare and would fill the memory


def parse(text: str) -> Template:
    """The template that the text is; raises `Malformed`."""
    return _remembered(text) if len(text) <= _REMEMBERED_SIZE else _parsed(text)


def _parsed(text: str) -> Template:
    return _Parser(Stream(tokenize(text))).template()


_remembered = lru_cache(maxsize=_REMEMBERED)(_parsed)


class _Parser:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._expressions = ExpressionParser(stream)
        self._macros: dict[str, Macro] = {}
        self._blocks: dict[str, Body] = {}
        self._tags: dict[str, Callable[[Token], Statement | None]] = {
            "if": self._if,
            "for": self._for,
            "set": self._set,
            "block": self._block,
            "filter": self._filter,
            "macro": self._macro,
        }

    def template(self) -> Template:
        body = self._body(())
        found = self._expressions
        return Template(
            body=body,
            macros=self._macros,
            blocks=self._blocks,
            height=found.height + 1,
            calls=tuple(found.calls),
            texts=tuple(found.texts),
        )

    def _body(self, ends: tuple[str, ...]) -> Body:
        """Statements up to one of the closing tags, whose name is then the current token, or to the end."""
        self._expressions.descend()
        statements: list[Statement] = []
        while self._stream.current.kind is not Kind.EOF:
            token = self._stream.advance()
            if token.kind is Kind.TEXT:
                statements.append(Text(str(token.value)))
            elif token.kind is Kind.PRINT_START:
                statements.append(Print(self._expressions.expression()))
                self._stream.expect(Kind.PRINT_END)
            elif self._closes(ends):
                break
            elif (statement := self._tag()) is not None:
                statements.append(statement)
        self._expressions.ascend()
        return tuple(statements)

    def _closes(self, ends: tuple[str, ...]) -> bool:
        token = self._stream.current
        if token.kind is not Kind.NAME:
            raise Malformed("A block must start with a tag name.", token.line)
        return token.value in ends

    def _tag(self) -> Statement | None:
        token = self._stream.current
        tag = self._tags.get(str(token.value))
        if tag is None:
            raise Malformed(f'Unexpected tag name "{token.value}"', token.line)
        self._stream.advance()
        return tag(token)

    def _end_tag(self) -> None:
        self._stream.expect(Kind.EXECUTE_END)

    def _close(self, name: str) -> None:
        """Step over the closing tag that ended a body."""
        token = self._stream.current
        if token.kind is Kind.EOF:
            message = f'Unexpected end of template. Pebble was looking for the "{name}" tag'
            raise Malformed(message, token.line)
        self._stream.advance()
        self._end_tag()

    def _if(self, token: Token) -> Statement:
        branches = [self._branch()]
        while self._stream.current.is_(Kind.NAME, "elseif"):
            self._stream.advance()
            branches.append(self._branch())
        otherwise = self._otherwise("endif")
        self._close("endif")
        return If(tuple(branches), otherwise, token.line)

    def _branch(self) -> tuple[Expression, Body]:
        condition = self._expressions.expression()
        self._end_tag()
        return condition, self._body(("elseif", "else", "endif"))

    def _otherwise(self, end: str) -> Body:
        if not self._stream.current.is_(Kind.NAME, "else"):
            return ()
        self._stream.advance()
        self._end_tag()
        return self._body((end,))

    def _for(self, token: Token) -> Statement:
        name = self._expressions.new_name()
        self._stream.expect(Kind.NAME, "in")
        iterable = self._expressions.expression()
        self._end_tag()
        body = self._body(("else", "endfor"))
        otherwise = self._otherwise("endfor")
        self._close("endfor")
        return For(name, iterable, body, otherwise, token.line)

    def _set(self, _token: Token) -> Statement:
        name = self._expressions.new_name()
        self._stream.expect(Kind.PUNCTUATION, "=")
        expression = self._expressions.expression()
        self._end_tag()
        return Set(name, expression)

    def _block(self, token: Token) -> Statement:
        name = self._block_name()
        self._end_tag()
        body = self._body(("endblock",))
        if self._stream.current.kind is Kind.EOF:
            message = "endblock tag should be present with block tag starting line number "
            raise Malformed(message, token.line)
        self._stream.advance()
        if self._stream.current.kind in (Kind.NAME, Kind.STRING) and self._stream.current.value == name:
            self._stream.advance()
        self._end_tag()
        self._blocks[name] = body
        return Block(name, body)

    def _block_name(self) -> str:
        if self._stream.current.kind is Kind.STRING:
            return str(self._stream.advance().value)
        return str(self._stream.expect(Kind.NAME).value)

    def _filter(self, token: Token) -> Statement:
        filters: list[tuple[str, Arguments]] = [self._expressions.invocation()[:2]]
        while self._stream.current.is_(Kind.OPERATOR, "|"):
            self._stream.advance()
            filters.append(self._expressions.invocation()[:2])
        self._end_tag()
        body = self._body(("endfilter",))
        self._close("endfilter")
        return FilterBlock(tuple(filters), body, token.line)

    def _macro(self, token: Token) -> None:
        name = str(self._stream.expect(Kind.NAME).value)
        parameters = self._parameters()
        self._end_tag()
        body = self._body(("endmacro",))
        self._close("endmacro")
        if name in self._macros:
            raise Malformed(f"More than one macro can not share the same name: {name}", token.line)
        self._macros[name] = Macro(parameters, body)

    def _parameters(self) -> tuple[tuple[str, Expression | None], ...]:
        self._stream.expect(Kind.PUNCTUATION, "(")
        parameters: list[tuple[str, Expression | None]] = []
        while not self._stream.current.punctuates(")"):
            if parameters:
                self._stream.expect(Kind.PUNCTUATION, ",")
            name = self._expressions.new_name()
            default = self._expressions.expression() if self._stream.accept("=") else None
            parameters.append((name, default))
        self._stream.expect(Kind.PUNCTUATION, ")")
        return tuple(parameters)
