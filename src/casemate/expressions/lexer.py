"""Cutting a template into tokens: text, `{{ print }}`, `{% execute %}`, `{# comment #}` (spec/engine 6.4)."""

from __future__ import annotations

import re
from enum import Enum, auto

from casemate.expressions.errors import Malformed
from casemate.expressions.tokens import Kind, Token

_START = re.compile(r"\{\{|\{%|\{#")
_LEADING_TRIM = re.compile(r"-\s+")
_PRINT_END = re.compile(r"\s*(-?)\}\}")
_EXECUTE_END = re.compile(r"\s*(-?)%\}")
_VERBATIM = re.compile(r"\s*verbatim\s*-?%\}")
_END_VERBATIM = re.compile(r"\{%(-)?\s*endverbatim\s*(-)?%\}")
_BLANKS = re.compile(r"\s+")
_WORD = re.compile(
    r"(?P<operator>(?:is not|contains|equals|not|and|or|is)(?!\w)|\?\?\?|\?\?|\.\.|==|!=|>=|<=|[<>+\-*/%|~])"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<long>[0-9]+)L"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<punctuation>[()\[\]{}?:.,|=])"
    r"|(?P<double>\"[^#\"\\]*(?:\\.[^#\"\\]*)*\")"
    r"|(?P<single>'[^'\\]*(?:\\.[^'\\]*)*')",
    re.DOTALL,
)
_STRING_PART = re.compile(r"[^#\"\\]*(?:(?:\\.|#(?!\{))[^#\"\\]*)*", re.DOTALL)
_CLOSING = {"(": ")", "[": "]", "{": "}", '"': '"', "#{": "}"}


class _State(Enum):
    DATA = auto()
    PRINT = auto()
    EXECUTE = auto()
    STRING = auto()
    INTERPOLATION = auto()


def tokenize(template: str) -> list[Token]:
    """Cut a template; raises `Malformed` with Kestra's text and the line."""
    return _Lexer(template).run()


class _Lexer:
    def __init__(self, template: str) -> None:
        self._text = template
        self._at = 0
        self._line = 1
        self._counted = 0
        self._tokens: list[Token] = []
        self._states = [_State.DATA]
        self._brackets: list[str] = []
        self._trim_next = False

    def run(self) -> list[Token]:
        steps = {
            _State.DATA: self._text_until_tag,
            _State.PRINT: self._in_print,
            _State.EXECUTE: self._in_execute,
            _State.STRING: self._in_string,
            _State.INTERPOLATION: self._in_interpolation,
        }
        while self._at < len(self._text):
            steps[self._states[-1]]()
        self._push(Kind.EOF, None)
        if self._brackets:
            raise self._malformed(f'Unclosed "{self._brackets[-1]}"')
        return self._tokens

    def _here(self) -> int:
        """The line of the place reached."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _malformed(self, message: str) -> Malformed:
        return Malformed(message, self._here())

    def _push(self, kind: Kind, value: str | None) -> None:
        self._tokens.append(Token(kind, value, self._here()))

    # ---- outside of tags

    def _text_until_tag(self) -> None:
        found = _START.search(self._text, self._at)
        text = self._text[self._at : found.start() if found else None]
        if self._trim_next:
            text, self._trim_next = text.lstrip(), False
        if found is None:
            self._push_text(text)
            self._at = len(self._text)
            return
        trim = _LEADING_TRIM.match(self._text, found.end())
        self._push_text(text.rstrip() if trim else text)
        self._at = trim.end() if trim else found.end()
        self._open(found[0])

    def _push_text(self, text: str) -> None:
        if text:
            self._push(Kind.TEXT, text)

    def _open(self, delimiter: str) -> None:
        if delimiter == "{#":
            self._skip_comment()
        elif delimiter == "{{":
            self._push(Kind.PRINT_START, None)
            self._states.append(_State.PRINT)
        elif verbatim := _VERBATIM.match(self._text, self._at):
            self._keep_verbatim(verbatim.end())
        else:
            self._push(Kind.EXECUTE_START, None)
            self._states.append(_State.EXECUTE)

    def _skip_comment(self) -> None:
        end = self._text.find("#}", self._at)
        if end < 0:
            raise self._malformed("Unclosed comment.")
        self._trim_next = self._text[self._at : end].rstrip().endswith("-")
        self._at = end + 2

    def _keep_verbatim(self, start: int) -> None:
        end = _END_VERBATIM.search(self._text, start)
        if end is None:
            raise self._malformed("Unclosed verbatim tag.")
        text = self._text[start : end.start()].lstrip()  # Pebble always trims the beginning
        self._push_text(text.rstrip() if end[1] else text)
        self._trim_next = end[2] is not None
        self._at = end.end()

    # ---- inside of tags

    def _in_print(self) -> None:
        self._until(_PRINT_END, Kind.PRINT_END, "}}")

    def _in_execute(self) -> None:
        self._until(_EXECUTE_END, Kind.EXECUTE_END, "%}")

    def _until(self, end: re.Pattern[str], kind: Kind, delimiter: str) -> None:
        closing = None if self._brackets else end.match(self._text, self._at)
        if closing is None:
            self._word()
            return
        self._push(kind, delimiter)
        self._trim_next = closing[1] == "-"
        self._at = closing.end()
        self._states.pop()

    def _word(self) -> None:
        if blanks := _BLANKS.match(self._text, self._at):
            self._at = blanks.end()
            if self._at == len(self._text):
                return
        found = _WORD.match(self._text, self._at)
        if found is None:
            self._other()
            return
        kind = str(found.lastgroup)
        if kind == "punctuation":
            self._bracket(found[0])
        self._push(*_token(kind, found))
        self._at = found.end()

    def _other(self) -> None:
        """What no word begins with: a text with interpolation, or nothing of the language."""
        if self._text[self._at] != '"':
            raise self._malformed(f"Unexpected character [{self._text[self._at]}]")
        self._brackets.append('"')
        self._states.append(_State.STRING)
        self._at += 1

    def _bracket(self, mark: str) -> None:
        if mark in "([{":
            self._brackets.append(mark)
        elif mark in ")]}":
            if not self._brackets:
                raise self._malformed(f'Unexpected "{mark}"')
            expected = _CLOSING[self._brackets.pop()]
            if expected != mark:
                raise self._malformed(f'Unclosed "{expected}"')

    def _in_string(self) -> None:
        if self._text.startswith("#{", self._at):
            self._brackets.append("#{")
            self._push(Kind.INTERPOLATION_START, None)
            self._states.append(_State.INTERPOLATION)
            self._at += 2
            return
        part = _STRING_PART.match(self._text, self._at)
        if part is not None and part.end() > self._at:
            self._push(Kind.STRING, part[0])
            self._at = part.end()
        elif self._text[self._at] == '"':
            self._end_string()
        else:
            raise self._malformed('Unclosed """')

    def _end_string(self) -> None:
        self._brackets.pop()
        self._states.pop()
        self._at += 1

    def _in_interpolation(self) -> None:
        blanks = _BLANKS.match(self._text, self._at)
        at = blanks.end() if blanks else self._at
        if self._brackets[-1] == "#{" and self._text.startswith("}", at):
            self._brackets.pop()
            self._push(Kind.INTERPOLATION_END, None)
            self._states.pop()
            self._at = at + 1
        else:
            self._word()


def _token(group: str, found: re.Match[str]) -> tuple[Kind, str]:
    match group:
        case "double" | "single":
            quote = found[0][0]
            return Kind.STRING, found[0][1:-1].replace("\\" + quote, quote)
        case "long":
            return Kind.LONG, found["long"]
        case _:
            return Kind[group.upper()], found[0]
