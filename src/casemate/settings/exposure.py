"""What a configuration gives away: secrets written in its files, and the variables that hold some (spec/security 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from casemate import documents
from casemate.documents import Node, Scalar, Sequence
from casemate.settings.keys import Kind
from casemate.settings.model import Misconfiguration
from casemate.settings.placeholders import Resolver, TooMuch, Unclosed, pieces
from casemate.settings.sources import NOT_KEYS, Written

READABLE: Final = "casemate.configuration.readable-by-others"
TELLTALE: Final = re.compile(
    r"pass(word)?|secret|token|credential|private|certificate|api-?key|access-?key|service-?account|fingerprint"
    r"|connection-?string|\bsas\b",
    re.IGNORECASE,
)
"""Names of what must not be shown (spec/security 8.6)."""
_OF_FLOWS: Final = "SECRET_"


def written_secrets(values: Iterable[Written]) -> dict[str, Misconfiguration]:
    """The first secret that stands in each file in clear text, as the problem that this is where others read the file.

    One that a placeholder without a default brings from elsewhere is not in the file.
    """
    found: dict[str, Misconfiguration] = {}
    for value in values:
        if value.place.mark is not None and value.place.file not in found and _in_clear(value):
            found[value.place.file] = value.place.problem(
                "config.readable",
                "is a secret, in a file that everybody on this machine can read",
                path=value.spelled,
                remedy=f"chmod o-r {value.place.file}, or say {READABLE}: true",
            )
    return found


def secret_variables(environ: Mapping[str, str], values: Iterable[Written], merged: Mapping[str, Written]) -> list[str]:
    """The variables that hold secrets: those of flows, of keys that are secret, and whatever these refer to."""
    told = {name for name in environ if name.startswith(_OF_FLOWS)} | (NOT_KEYS & environ.keys())
    told |= {value.spelled for value in values if value.spelled in environ and _is_secret(value)}
    of_secrets = Resolver(environ, merged)
    for value in merged.values():
        if _is_secret(value):
            of_secrets.resolved(value)
    return sorted(told | of_secrets.variables)


def _is_secret(value: Written) -> bool:
    return value.key is not None and value.key.secret


def _in_clear(value: Written) -> bool:
    if not _is_secret(value):
        return False
    assert value.key is not None
    leaves = _telling(value.node) if value.key.kind is Kind.TREE else _leaves(value.node)
    return any(_says_something(leaf.text) for leaf in leaves)


def _says_something(text: str) -> bool:
    try:
        return any(part.strip() if isinstance(part, str) else part.default for part in pieces(text))
    except (TooMuch, Unclosed):
        return True


def _leaves(node: Node) -> Iterator[Scalar]:
    match node:
        case Scalar():
            yield node
        case Sequence(items=items):
            for item in items:
                yield from _leaves(item)
        case documents.Mapping(entries=entries):
            for entry in entries:
                yield from _leaves(entry.value)


def _telling(node: Node) -> Iterator[Scalar]:
    """Of a section with options of every kind those that are named like a secret."""
    match node:
        case Sequence(items=items):
            for item in items:
                yield from _telling(item)
        case documents.Mapping(entries=entries):
            for entry in entries:
                named = isinstance(entry.value, Scalar) and TELLTALE.search(entry.key)
                yield from _leaves(entry.value) if named else _telling(entry.value)
