"""What someone set, as it may be shown: without secrets, and without what is named or looks like one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from casemate import documents
from casemate.secret import HIDDEN
from casemate.settings.model import Said
from casemate.settings.placeholders import mapped
from casemate.settings.sources import Place, Written
from casemate.settings.telltale import NAMED, covered


def shown(values: Iterable[Written]) -> tuple[Said, ...]:
    """The known keys among them by name, with their values and places."""
    return tuple(
        Said(value.name, _value(value), _where(value.place))
        for value in sorted(values, key=lambda value: value.name)
        if value.key is not None
    )


def _where(place: Place) -> str:
    return f"{place.file}:{place.mark.line}" if place.mark else place.file


def _value(value: Written) -> object:
    hidden = value.key is not None and value.key.secret
    node = mapped(value.node, lambda leaf: replace(leaf, text=HIDDEN, value=HIDDEN)) if hidden else value.node
    return _below(value.name.rpartition(".")[2], documents.plain(node))


def _below(name: str, value: object) -> object:
    """A value under a name; all that stands below a telling name is hidden, a flag apart."""
    telling = NAMED.search(name) is not None
    match value:
        case None | bool():
            return value
        case dict():
            return {key: _below(f"{name}.{key}" if telling else str(key), inner) for key, inner in value.items()}
        case list():
            return [_below(name, inner) for inner in value]
    if telling:
        return HIDDEN
    return covered(value) if isinstance(value, str) else value
