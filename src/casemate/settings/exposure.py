"""What a configuration gives away: secrets written in its files, and the variables that hold some (spec/security 9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from casemate import documents
from casemate.documents import Node, Scalar, Sequence
from casemate.settings.keys import Kind
from casemate.settings.model import Misconfiguration
from casemate.settings.placeholders import Resolver, TooMuch, Unclosed, pieces
from casemate.settings.sources import NOT_KEYS, Written
from casemate.settings.telltale import NAMED, tells

READABLE: Final = "casemate.configuration.readable-by-others"
_OF_FLOWS: Final = "SECRET_"
_OF_SERVERS: Final = ("KESTRA_", "CASEMATE_", "DATASOURCES_", "MICRONAUT_")


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
    """The variables that hold secrets: those of flows, of keys that are secret, and whatever these refer to; also those
    of no key that are named like one.
    """
    told = {name for name in environ if name.startswith(_OF_FLOWS)} | (NOT_KEYS & environ.keys())
    told |= {name for name in environ if name.startswith(_OF_SERVERS) and NAMED.search(name)}
    told |= {value.spelled for value in values if value.spelled in environ and _is_secret(value)}
    of_secrets = Resolver(environ, merged)
    for value in merged.values():
        if _is_secret(value):
            of_secrets.resolved(value)
    return sorted(told | of_secrets.variables)


def _is_secret(value: Written) -> bool:
    return value.key is not None and value.key.secret


def _in_clear(value: Written) -> bool:
    last = value.name.rpartition(".")[2]
    if not _is_secret(value):
        return any(tells(name, leaf.text) and _says_something(leaf.text) for name, leaf in _named(last, value.node))
    assert value.key is not None
    of_any_kind = value.key.kind is Kind.TREE
    leaves = (leaf for name, leaf in _named("", value.node) if not of_any_kind or NAMED.search(name))
    return any(_says_something(leaf.text) for leaf in leaves)


def _says_something(text: str) -> bool:
    try:
        return any(part.strip() if isinstance(part, str) else part.default for part in pieces(text))
    except (TooMuch, Unclosed):
        return True


def _named(name: str, node: Node) -> Iterator[tuple[str, Scalar]]:
    """Every text within maps and lists, by the key that it stands under, or a list of them."""
    match node:
        case Scalar():
            yield name, node
        case Sequence(items=items):
            for item in items:
                yield from _named(name, item)
        case documents.Mapping(entries=entries):
            for entry in entries:
                yield from _named(entry.key, entry.value)
