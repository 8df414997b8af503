"""`casemate.isolation.profiles`: what is different for the tasks of a type, a namespace or a tenant.

An entry has selectors and any of the keys of `casemate.isolation` that a task can have for itself. They are read by the
same table as the section's own, so a key that is added there can be said in a profile too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from casemate.documents import Mapping as MappingNode
from casemate.documents import Sequence
from casemate.errors import Problem
from casemate.settings.build import overridden
from casemate.settings.keys import Key, Kind, Table
from casemate.settings.known import KNOWN
from casemate.settings.model import Isolation, Misconfiguration, Profile
from casemate.settings.sources import Place, Written, is_unset, within
from casemate.settings.values import meaning

SECTION: Final = "casemate.isolation."
SELECTORS: Final = ("types", "namespaces", "tenants")
_FOR_A_TASK: Final = (
    *("egress.open", "egress.public", "egress.allow", "egress.deny"),
    *("limits.", "docker.", "required-level", "visible-paths", "writable-paths", "threads", "processes"),
)


def _keys() -> Iterator[Key]:
    yield from (Key(name=name, kind=Kind.TEXTS) for name in SELECTORS)
    for key in KNOWN.keys:
        if key.name.removeprefix(SECTION).startswith(_FOR_A_TASK):
            yield replace(key, name=key.name.removeprefix(SECTION), default=None)


TABLE: Final = Table(_keys())
"""Every key an entry may have."""


@dataclass(frozen=True, slots=True)
class Entries:
    """What a list of profiles says: the profiles, where each value was written by its full name, what is wrong."""

    profiles: tuple[Profile, ...] = ()
    written: Mapping[str, Written] | None = None
    problems: tuple[Misconfiguration, ...] = ()


def entries(value: Written) -> Entries:
    """Read the list. Nothing in an entry is passed over: a wall that is misspelled would not stand."""
    if not isinstance(value.node, Sequence):
        return Entries(problems=(value.place.problem("config.type", "must be a list of entries", path=value.spelled),))
    found = [_entry(value, number) for number in range(len(value.node.items))]
    return Entries(
        tuple(profile for each in found for profile in each.profiles),
        {name: at for each in found for name, at in (each.written or {}).items()},
        tuple(problem for each in found for problem in each.problems),
    )


def _entry(value: Written, number: int) -> Entries:
    assert isinstance(value.node, Sequence)
    node, spelled = value.node.items[number], f"{value.spelled}[{number}]"
    place = value.place if value.place.mark is None else Place(value.place.file, node.mark)
    if not isinstance(node, MappingNode):
        return Entries(problems=(place.problem("config.type", "must be a map of keys", path=spelled),))
    source = within(node, spelled, place, TABLE)
    said, wrong = _said([written for written in source.values if not is_unset(written.node)])
    name = f"{SECTION}profiles[{number}]"
    profile = Profile(
        name=name,
        types=_texts(said, "types"),
        namespaces=_texts(said, "namespaces"),
        tenants=_texts(said, "tenants"),
        overrides={SECTION + key: one for key, one in said.items() if key not in SELECTORS},
    )
    at = {f"{name}.{written.name}": written for written in source.values}
    problems = (*source.problems, *wrong)
    # What is missing in it only because it could not be read is not to be told as a second mistake.
    read = () if problems else (profile,)
    return Entries(read, {name: replace(value, spelled=spelled, place=place), **at}, problems)


def _texts(said: Mapping[str, object], name: str) -> tuple[str, ...]:
    texts = said.get(name, ())
    return tuple(str(text) for text in texts) if isinstance(texts, tuple) else ()


def _said(values: Iterable[Written]) -> tuple[dict[str, object], list[Misconfiguration]]:
    said: dict[str, object] = {}
    wrong = []
    for written in values:
        if written.key is None:
            wrong.append(_unknown(written))
            continue
        try:
            said[written.name] = value = meaning(written.key, written.node)
            if written.name in SELECTORS and not value:
                raise ValueError("a list of at least one text")
        except ValueError as error:
            wrong.append(written.place.problem("config.type", f"must be {error}", path=written.spelled))
    return said, wrong


def _unknown(written: Written) -> Misconfiguration:
    nearest = TABLE.nearest(tuple(written.name.split(".")))
    remedy = f"Did you mean {nearest}?" if nearest else ""
    message = "is not a key that a profile has"
    return written.place.problem("config.unknown", message, path=written.spelled, remedy=remedy)


def for_task(isolation: Isolation, names: Collection[str], namespace: str = "", tenant: str = "") -> Isolation:
    """The section as it holds for one task: every profile that means it, in the order written; later words win.

    `names` are the task type's canonical name and its aliases: the prefix of a profile may name it by any of them.
    """
    meant = tuple(each for each in isolation.profiles if _means(each, names, namespace, tenant))
    return overridden(isolation, meant) if meant or isolation.profiles else isolation


def _means(profile: Profile, names: Collection[str], namespace: str, tenant: str) -> bool:
    return (
        (not profile.types or any(is_below(name, profile.types) for name in names))
        and (not profile.namespaces or is_below(namespace, profile.namespaces))
        and (not profile.tenants or tenant in profile.tenants)
    )


def is_below(name: str, prefixes: Iterable[str]) -> bool:
    """Is the dotted name one of these, or below one? `a.b` is not below `a.bc` (spec/isolation 1.3, rule 5)."""
    return any(f"{name}.".startswith(prefix.rstrip(".") + ".") for prefix in prefixes)


def unknown_types(isolation: Isolation, names: Collection[str]) -> Iterator[Problem]:
    """Prefixes of profiles that none of these names of task types begins with: no task can be meant."""
    for profile in isolation.profiles:
        for prefix in profile.types:
            if not any(is_below(name, (prefix,)) for name in names):
                message = f"no task type here is named {prefix}"
                yield Problem(code="config.no-effect", message=message, path=f"{profile.name}.types")


def said_by(isolation: Isolation, key: str) -> str:
    """The key, as a person finds it, that the section `for_task` gave took this value from."""
    speaking = [profile for profile in isolation.profiles if SECTION + key in profile.overrides]
    return f"{speaking[-1].name}.{key}" if speaking else SECTION + key


def combined(isolation: Isolation) -> Iterator[Isolation]:
    """Everything two words of which may hold at once: the section, each profile over it, each two that can meet."""
    yield overridden(isolation, ())
    yield from (overridden(isolation, (profile,)) for profile in isolation.profiles)
    for one, other in combinations(isolation.profiles, 2):
        if can_meet(one, other):
            yield overridden(isolation, (one, other))


def can_meet(one: Profile, other: Profile) -> bool:
    """Could there be a task that both mean?"""
    return (
        _overlap(one.types, other.types)
        and _overlap(one.namespaces, other.namespaces)
        and (not one.tenants or not other.tenants or not set(one.tenants).isdisjoint(other.tenants))
    )


def _overlap(ones: tuple[str, ...], others: tuple[str, ...]) -> bool:
    if not ones or not others:
        return True
    return any(is_below(one, others) for one in ones) or any(is_below(other, ones) for other in others)
