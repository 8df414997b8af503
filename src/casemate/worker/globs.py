"""Which files does a flow mean? Java's globs (spec/engine 8.4), matched in linear time.

`*` and `?` stay within a folder, `**` does not; `[abc]`, `[!abc]` and `{a,b}` as everywhere. Unlike Java's, `**/` may
also stand for no folder at all, as users expect from every other tool.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import re2

from casemate.worker.errors import TaskFailed

_PIECE = re.compile(r"\\.|\*\*/|\*\*|\*|\?|\[[!^]?\]?[^]]*\]|.", re.DOTALL)


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a relative path matches one of the patterns; raises `TaskFailed` for a pattern that means nothing."""
    compiled = [_compiled(pattern) for pattern in patterns]
    return lambda path: any(pattern.fullmatch(path) for pattern in compiled)


def _compiled(pattern: str) -> re.Pattern[str]:
    # Patterns come from flows: an engine that backtracks could be kept busy for ever.
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: re.Pattern[str] = re2.compile(_expression(pattern), options)
    except re2.error as error:
        raise TaskFailed(f"Invalid file pattern '{pattern}': {error}") from None
    return compiled


def _expression(pattern: str) -> str:
    if pattern.startswith("regex:"):
        return pattern.removeprefix("regex:")
    return "(?s)" + "".join(_translated(pattern.removeprefix("glob:").removeprefix("./").removeprefix("/")))


def _translated(glob: str) -> Iterator[str]:
    open_groups = 0
    for piece in _PIECE.findall(glob):
        if piece == "{":
            open_groups += 1
        if piece == "}" and open_groups:
            open_groups -= 1
            yield ")"
        else:
            yield _part(piece, within_group=open_groups > 0)


def _part(piece: str, *, within_group: bool) -> str:
    match piece:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
        case "{":
            return "(?:"
        case "," if within_group:
            return "|"
        case _ if len(piece) > 2 and piece[0] == "[":
            return _choice(piece[1:-1])
        case _:
            return re.escape(piece[1:] if len(piece) == 2 and piece[0] == "\\" else piece)


def _choice(inner: str) -> str:
    negated = inner[0] in "!^"
    members = re.sub(r"([\\\[\]&~|^])", r"\\\1", inner[1:] if negated else inner)
    return f"[^/{members}]" if negated else f"[{members}]"
