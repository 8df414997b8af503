"""The value of a secret as a person or a program gives it: never on the command line, where others can see it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from typing import Final

from casemate.cli.files import LARGEST, content_of
from casemate.cli.secret_stores import Impossible
from casemate.secret import Secret

_STANDARD_INPUT: Final = "standard input"
_LINE_BREAKS: Final = ("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Given:
    """A value, and whether the line break that it ended with was left out."""

    value: Secret
    shortened: bool


def given(file: Path | None, *, exact: bool) -> Given:
    """The value from a file, from standard input, or from a person at a terminal, who types it twice.

    One line break at its end is left out unless `exact`: editors and `echo` write it, and nobody means it. Raises
    `Unreadable`, and `Impossible` for what is no text or nothing.
    """
    if file is not None:
        content = content_of(file)
    elif sys.stdin.isatty():
        return _checked(_typed(), exact=True)
    else:
        content = sys.stdin.buffer.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Impossible(f"{_STANDARD_INPUT} is larger than {LARGEST} bytes")
    return _checked(_decoded(content, str(file or _STANDARD_INPUT)), exact=exact)


def _typed() -> str:
    try:
        first = getpass("Value (it is not shown): ")
        # Also for what is pasted: of several lines the second is another one.
        second = getpass("Once more: ")
    except EOFError:
        raise Impossible("no value was given") from None
    if first != second:
        raise Impossible("the two are not the same; a value of several lines is given with --from-file")
    return first


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        # Its text would quote the value.
        raise Impossible(f"{source} is not UTF-8 text (byte {error.start}); secrets are texts") from None


def _checked(text: str, *, exact: bool) -> Given:
    end = "" if exact else next((end for end in _LINE_BREAKS if text.endswith(end)), "")
    value = text.removesuffix(end)
    if not value:
        raise Impossible("the value is empty; to change description and tags alone, say --metadata-only")
    return Given(Secret(value), shortened=bool(end))


def tags_of(written: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` each. Raises `Impossible`."""
    tags: dict[str, str] = {}
    for one in written:
        name, equals, text = one.partition("=")
        if not name or not equals:
            raise Impossible("a tag is given as NAME=VALUE")
        tags[name] = text
    return tags
