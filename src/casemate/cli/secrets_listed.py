"""Secrets as `casemate secrets list` shows them: names, where they come from, what people wrote beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from casemate.cli.listing import safe
from casemate.cli.secret_stores import Impossible, Keeper, Listed
from casemate.identifiers import Namespace
from casemate.secrets import ANYWHERE, lineage

_HEADS = ("NAME", "NAMESPACE", "BACKEND", "CHANGES", "TAGS", "DESCRIPTION")
_EVERYWHERE = "(every namespace)"


def seen_from(keeper: Keeper, namespace: Namespace) -> list[Listed]:
    """What flows of a namespace see, each name once: its own, then of the nearest above. Raises `Impossible`."""
    places = lineage(namespace)
    if not places:
        raise Impossible("that is no namespace; one is written as company.team")
    seen: dict[str, Listed] = {}
    for place in places:
        for one in keeper.listed(place):
            seen.setdefault(one.entry.address.name, one)
    return [seen[name] for name in sorted(seen)]


def as_table(found: Sequence[Listed]) -> Iterator[str]:
    """A line for each secret below a line of heads, in columns as wide as their widest text."""
    rows = [_HEADS, *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(one: Listed) -> tuple[str, ...]:
    address = one.entry.address
    return (
        safe(address.name),
        _EVERYWHERE if address.namespace == ANYWHERE else safe(address.namespace),
        one.backend or "-",
        "read-only" if one.read_only else "allowed",
        safe(", ".join(f"{name}={text}" for name, text in sorted(one.entry.tags.items()))) or "-",
        safe(one.entry.description or "-"),
    )


def as_json(found: Sequence[Listed]) -> str:
    """One list. `namespace` is null for what every namespace has, `backend` where a server does not tell it."""
    return json.dumps([_object(one) for one in found], indent=2)


def _object(one: Listed) -> dict[str, object]:
    address = one.entry.address
    return {
        "key": address.name,
        "namespace": None if address.namespace == ANYWHERE else address.namespace,
        "description": one.entry.description,
        "tags": dict(sorted(one.entry.tags.items())),
        "backend": one.backend,
        "readOnly": one.read_only,
    }
