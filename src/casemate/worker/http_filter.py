"""The lists of web addresses as connections: what HTTP tasks may not ask, their sandboxes cannot reach either. Pure.

A list of URLs says more than an address tells (paths), so the body of the task judges each request; this is the second
wall, by the address that a connection really uses, where a name or a redirect led to it. It only takes away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from casemate.catalog import Manifest
from casemate.destinations import Host, Range, parsed
from casemate.http_lists import WebPlace, web_place, written
from casemate.sandbox import Egress, permits
from casemate.settings import HttpLists

_PREFIX: Final = "io.kestra.plugin.core.http."


def is_filtered(manifest: Manifest) -> bool:
    """Is this a type that the lists are for? Scripts and other plugins are not (spec/isolation 10.2)."""
    return manifest.type.startswith(_PREFIX)


def filtered(egress: Egress, lists: HttpLists) -> Egress:
    """Where connections of an HTTP task may go."""
    allowed, denied = [tuple(map(web_place, texts)) for texts in (lists.allowed, lists.denied)]
    closed = tuple(written(entry.place) for entry in denied if entry.place is not None and entry.is_whole)
    left = replace(egress, allow=tuple(dict.fromkeys(_left(egress, allowed))), public=False) if allowed else egress
    return replace(left, deny=(*left.deny, *closed))


def _left(egress: Egress, allowed: Iterable[WebPlace]) -> Iterator[str]:
    """What is open by both: the lists of the web, and the rules for connections."""
    open_before = [parsed(text) for text in egress.allow]
    for entry in allowed:
        match entry.place:
            case Range(network, port) as place if permits(str(network.network_address), port or 0, egress).allowed:
                yield written(place)
            case Host() as place:
                yield from _of_name(place, open_before, public=egress.public)


def _of_name(place: Host, open_before: Iterable[Range | Host], *, public: bool) -> Iterator[str]:
    if public:
        yield written(place)
    for rule in open_before:
        if rule.port not in (None, place.port):
            continue
        match rule:
            case Range():
                # By a name alone no private address is reached: the range that was opened has to stay open.
                yield written(replace(rule, port=place.port))
            case Host() if not public and (common := _narrower(rule, place)) is not None:
                yield written(replace(common, port=place.port))


def _narrower(one: Host, other: Host) -> Host | None:
    """The one of two that the other covers whole."""
    for narrow, wide in ((one, other), (other, one)):
        below = wide.covers(narrow.name) and (wide.below or not narrow.below)
        if below or (narrow.name, narrow.below) == (wide.name, wide.below):
            return narrow
    return None
